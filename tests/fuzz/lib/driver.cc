// main() of a fuzz target without libFuzzer:
//
//     NAME [--corpus DIR] [--seconds S] [--runs N] [--seed N] [FILE …]
//
// With files: each is run once, as it is. Else: every file of the corpus; each of some of them repeated to 100,000
// bytes, which shows what takes quadratic time; then N (2000) mutations of corpus files, fewer where the time is over
// before. The same seed gives the same mutations: on a faster machine there is nothing new to be found by chance.
//
// When things fail: the process ends with a report on stderr; the input is in NAME.finding in the working directory. A
// hanging input is ended by SIGALRM after half a minute.
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <fcntl.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <vector>
#include "fuzz.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {
using Clock = std::chrono::steady_clock;
constexpr long memory_limit_kb = 1024 * 1024;  // with sanitizers

std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        fuzz::fail("the input can be read", path);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The input under way, in a file that outlives every kind of end.
class Kept {
public:
    explicit Kept(std::string path)
        : path_(std::move(path)), fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600)) {
        if (!fd_ || ftruncate(fd_.get(), static_cast<off_t>(fuzz::input_limit)) != 0)
            fuzz::fail("a file for the input can be made", path_);
        map_ = static_cast<char*>(mmap(nullptr, fuzz::input_limit, PROT_READ | PROT_WRITE, MAP_SHARED, fd_.get(), 0));
        if (map_ == MAP_FAILED)
            fuzz::fail("a file for the input can be mapped", path_);
    }
    ~Kept() { ::unlink(path_.c_str()); }
    Kept(const Kept&) = delete;
    void hold(std::string_view input) {
        if (input.size() != size_ && ftruncate(fd_.get(), static_cast<off_t>(input.size())) != 0)
            fuzz::fail("the input can be kept");
        size_ = input.size();
        std::memcpy(map_, input.data(), size_);
    }

private:
    std::string path_;
    UniqueFd fd_;
    char* map_;
    std::size_t size_ = fuzz::input_limit;
};

class Run {
public:
    explicit Run(const std::string& path) : kept_(path) {}
    void once(std::string input) {
        input.resize(std::min(input.size(), fuzz::input_limit));
        kept_.hold(input);
        alarm(30);
        // A block of its own size: a byte read behind the end is a finding.
        std::vector<std::uint8_t> own(input.begin(), input.end());
        LLVMFuzzerTestOneInput(own.data(), own.size());
        alarm(0);
        ++runs;
        rusage usage{};
        getrusage(RUSAGE_SELF, &usage);
        if (usage.ru_maxrss > memory_limit_kb)
            fuzz::fail("the process stays within its memory", std::to_string(usage.ru_maxrss) + " kB");
    }
    std::size_t runs = 0;

private:
    Kept kept_;
};

class Mutator {
public:
    Mutator(const std::vector<std::string>& corpus, unsigned seed) : corpus_(corpus), random_(seed) {}
    std::string next() {
        std::string s = pick();
        for (std::size_t n = 1 + below(6); n > 0; --n)
            change(s);
        if (below(200) != 0 && s.size() > 8192)
            s.resize(8192);
        return s;
    }

private:
    std::size_t below(std::size_t n) { return n == 0 ? 0 : random_() % n; }
    const std::string& pick() { return corpus_[below(corpus_.size())]; }
    void change(std::string& s) {
        static constexpr std::string_view words[] = {"\r\n",
                                                     "\n",
                                                     "\r",
                                                     ".",
                                                     "\r\n.\r\n",
                                                     "\n.\n",
                                                     std::string_view("\0", 1),
                                                     "\xff",
                                                     "<",
                                                     ">",
                                                     "\"",
                                                     "\\",
                                                     "(",
                                                     ")",
                                                     "{",
                                                     "}",
                                                     "[",
                                                     "]",
                                                     "@",
                                                     ":",
                                                     ";",
                                                     ",",
                                                     "=",
                                                     "+",
                                                     "/",
                                                     "!",
                                                     "$",
                                                     "${",
                                                     "-1",
                                                     "0",
                                                     "4294967296",
                                                     "9223372036854775807",
                                                     "99999999999999999999",
                                                     " ",
                                                     "\t",
                                                     "\xc3\xa9",
                                                     "\xe2\x80\xa8"};
        std::size_t at = below(s.size() + 1),
                    n = 1 + below(std::min<std::size_t>(s.size() - std::min(at, s.size()), 64));
        switch (below(8)) {
        case 0:
            if (at < s.size())
                s[at] = static_cast<char>(s[at] ^ (1 << below(8)));
            break;
        case 1:
            if (at < s.size())
                s[at] = static_cast<char>(random_());
            break;
        case 2:
            if (at < s.size())
                s.erase(at, n);
            break;
        case 3:
            if (at < s.size())
                s.insert(at, s.substr(at, n));
            break;
        case 4: s.insert(at, words[below(std::size(words))]); break;
        case 5:
            if (at < s.size())
                s.replace(at, std::min(n, s.size() - at), words[below(std::size(words))]);
            break;
        case 6: {
            const std::string& other = pick();
            std::size_t from = below(other.size() + 1);
            s.insert(at, other.substr(from, 1 + below(128)));
            break;
        }
        case 7: {
            const std::string& other = pick();
            s = s.substr(0, at) + other.substr(below(other.size() + 1));
            break;
        }
        }
    }
    const std::vector<std::string>& corpus_;
    std::mt19937 random_;
};

std::string stretched(const std::string& s) {
    std::string out;
    while (!s.empty() && out.size() < fuzz::input_limit)
        out += s;
    return out;
}
// The first bytes are choices, mostly: what follows them is what grows.
std::string stretched_behind(const std::string& s, std::size_t head) {
    return s.size() <= head ? stretched(s) : s.substr(0, head) + stretched(s.substr(head));
}
}

int main(int argc, char** argv) {
    std::string name = std::filesystem::path(argv[0]).filename(), directory;
    double seconds = 2;
    unsigned seed = 1, most = 2000;
    std::vector<std::string> files, corpus;
    for (int i = 1; i < argc; ++i) {
        std::string_view option = argv[i];
        if (option.starts_with("--") && i + 1 == argc)
            fuzz::fail("each option has a value", option);
        if (option == "--corpus")
            directory = argv[++i];
        else if (option == "--seconds")
            seconds = std::atof(argv[++i]);
        else if (option == "--runs")
            most = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        else if (option == "--seed")
            seed = static_cast<unsigned>(std::strtoul(argv[++i], nullptr, 10));
        else
            files.emplace_back(option);
    }
    if (!directory.empty())
        directory = std::filesystem::absolute(directory);
    for (std::string& file : files)
        file = std::filesystem::absolute(file);
    LLVMFuzzerInitialize(&argc, &argv);
    const std::string finding =
        std::filesystem::absolute(name + (files.empty() ? ".finding" : ".again"));  // a target may change its directory
    Run run(finding);
    for (const std::string& file : files)
        run.once(read(file));
    if (!files.empty()) {
        std::printf("%s: %zu files\n", name.c_str(), files.size());
        return 0;
    }

    auto end = Clock::now() + std::chrono::duration<double>(seconds);
    if (!directory.empty() && std::filesystem::is_directory(directory))
        for (const auto& entry : std::filesystem::directory_iterator(directory))
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    corpus.emplace_back();
    for (const std::string& file : files)
        corpus.push_back(read(file));
    for (const std::string& input : corpus)
        run.once(input);
    std::vector<std::size_t> order(corpus.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    std::shuffle(order.begin(), order.end(), std::mt19937(seed));
    auto half = Clock::now() + (end - Clock::now()) / 2;
    for (std::size_t i : order) {
        if (Clock::now() > half)
            break;
        run.once(stretched(corpus[i]));
        run.once(stretched_behind(corpus[i], 4));
    }
    std::size_t before = run.runs;
    for (Mutator mutator(corpus, seed); run.runs - before < most && Clock::now() < end;)
        run.once(mutator.next());
    std::printf("%s: %zu corpus files, %zu runs, %zu of them mutations with seed %u\n", name.c_str(), files.size(),
                run.runs, run.runs - before, seed);
}
