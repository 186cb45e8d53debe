#include "tls/trust.h"
#include <dirent.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include "base/fd.h"
#include "tls/keys.h"

namespace tls {
namespace {
constexpr std::size_t files_limit = 10000, list_file_limit = 64u << 20;
struct CloseDirectory {
    void operator()(DIR* d) const { closedir(d); }
};
struct FreeBio {
    void operator()(BIO* b) const { BIO_free(b); }
};
struct FreeList {
    void operator()(X509_CRL* l) const { X509_CRL_free(l); }
};

bool names_in(const std::string& directory, std::vector<std::string>& names) {
    std::unique_ptr<DIR, CloseDirectory> open(opendir(directory.c_str()));
    if (!open)
        return false;
    while (dirent* entry = readdir(open.get())) {
        std::string_view name = entry->d_name;
        if (!name.starts_with('.') && names.size() < files_limit)
            names.emplace_back(name);
    }
    std::sort(names.begin(), names.end());
    return true;
}

// "4a6481c9.0": what c_rehash calls a CA certificate.
bool hashed(std::string_view name) {
    return name.size() >= 10 && name[8] == '.' && name.find_first_not_of("0123456789abcdef") == 8 &&
           name.find_first_not_of("0123456789", 9) == name.npos;
}

bool load_directory(X509_STORE* store, const std::string& directory) {
    std::vector<std::string> names;
    if (!names_in(directory, names))
        return false;
    for (const std::string& name : names)
        if (hashed(name))
            X509_STORE_load_file(store, (directory + "/" + name).c_str());
    ERR_clear_error();
    return true;
}

std::string from_environment(const char* variable, const char* otherwise) {
    const char* value = std::getenv(variable);
    return value ? value : otherwise;
}

Result<void> load_list(X509_STORE* store, const std::string& file, std::string& octets) {
    auto text = read_file(file, list_file_limit);
    if (!text)
        return context_error(
            fmt::format("cannot read {}: {}", file,
                        text.error().sys_errno ? errno_text(text.error().sys_errno) : text.error().reason));
    std::unique_ptr<BIO, FreeBio> bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
    int found = 0;
    for (;; ++found) {
        std::unique_ptr<X509_CRL, FreeList> list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
        if (!list)
            break;
        X509_STORE_add_crl(store, list.get());
    }
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (!end || !found)
        return context_error(fmt::format(
            "cannot use {}: {}", file, end ? "no revocation list in it" : library_errors("malformed revocation list")));
    ERR_clear_error();
    octets += *text;
    return {};
}
}

Result<StorePtr> load_trusted(const std::string& file, const std::string& path, bool system_too) {
    StorePtr store(X509_STORE_new());
    if (!file.empty() && X509_STORE_load_file(store.get(), file.c_str()) != 1)
        return context_error(
            fmt::format("cannot load CA certificates from {}: {}", file, library_errors("no certificates")));
    // The library reads a directory when it looks for an issuer: that is after the jail, where the directory may not
    // be. So what is there now is read at once; what is added later is found where the directory can be reached.
    if (!path.empty() && !load_directory(store.get(), path))
        return context_error(fmt::format("cannot use CA directory {}: {}", path, errno_text(errno)));
    if (!path.empty())
        X509_STORE_load_path(store.get(), path.c_str());
    if (system_too && !(file.empty() && path.empty())) {
        X509_STORE_set_default_paths(store.get());
        X509_STORE_load_file(store.get(),
                             from_environment(X509_get_default_cert_file_env(), X509_get_default_cert_file()).c_str());
        load_directory(store.get(), from_environment(X509_get_default_cert_dir_env(), X509_get_default_cert_dir()));
    }
    ERR_clear_error();
    return store;
}

Result<std::vector<std::string>> load_revoked(X509_STORE* store, const std::string& name, std::string& lists) {
    std::vector<std::string> files{name};
    struct stat st;
    if (stat(name.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
        std::vector<std::string> names;
        if (!names_in(name, names))
            return context_error(fmt::format("cannot read {}: {}", name, errno_text(errno)));
        if (names.empty())
            return context_error(fmt::format("cannot use {}: no revocation list in it", name));
        for (const std::string& n : names)
            files.push_back(name + "/" + n);
    }
    std::string octets;
    for (std::size_t i = files.size() > 1 ? 1 : 0; i < files.size(); ++i)
        TRY(load_list(store, files[i], octets));
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    lists = std::move(octets);
    return files;
}
}
