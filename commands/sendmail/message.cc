#include "message.h"
#include "base/bytes.h"
#include "mail/address.h"
#include "mail/address_tokens.h"
#include "mail/header.h"

namespace sendmail {
using queue::RecordType;

namespace {
constexpr std::size_t field_max = 16u << 20;                 // of a header field that is searched for recipients
constexpr std::size_t addresses_max = 1000000;
}

bool MessageReader::take(std::string_view bytes) {
    while (!bytes.empty() && !ended_) {
        const std::size_t end = bytes.find('\n');
        if (end == std::string_view::npos) {
            partial_ += bytes;
            // A long line goes out in pieces as it comes; the last two bytes wait, since one may be a CR.
            while (partial_.size() > settings_.line_length + 1 && !ended_) {
                if (!continuing_ && in_header_ && settings_.extract) look_for_recipients(partial_.substr(0, settings_.line_length));
                else if (in_header_ && settings_.extract && field_.size() < field_max) field_ += partial_.substr(0, settings_.line_length);
                out_(RecordType::part, std::string_view(partial_).substr(0, settings_.line_length));
                partial_.erase(0, settings_.line_length);
                continuing_ = begun_ = true;
                first_line_ = false;
            }
            return true;
        }
        if (partial_.empty()) {
            line(bytes.substr(0, end), true);
        } else {
            partial_ += bytes.substr(0, end);
            const std::string whole = std::move(partial_);
            partial_.clear();
            line(whole, true);
        }
        bytes.remove_prefix(end + 1);
    }
    return !ended_;
}

bool MessageReader::line(std::string_view text, bool terminated) {
    if (first_line_) strip_ = settings_.endings == LineEndings::always || (settings_.endings == LineEndings::strict && text.ends_with('\r'));
    first_line_ = false;
    if (terminated && strip_ && settings_.endings != LineEndings::never && text.ends_with('\r')) text.remove_suffix(1);
    if (!continuing_) {
        if (!settings_.dot_is_data && text == ".") {
            ended_ = true;
            return false;
        }
        // mbox separators in front of a header, quoted or not
        if (!begun_) {
            std::string_view unquoted = text;
            while (unquoted.starts_with('>')) unquoted.remove_prefix(1);
            if (unquoted.starts_with("From ")) return true;
        }
        begun_ = true;
        if (in_header_ && settings_.extract) look_for_recipients(text);
    } else if (in_header_ && settings_.extract && field_.size() < field_max) {
        field_ += text;
    }
    put(text, terminated);
    continuing_ = false;
    return true;
}

void MessageReader::put(std::string_view text, bool terminated) {
    while (text.size() > settings_.line_length) {
        out_(RecordType::part, text.substr(0, settings_.line_length));
        text.remove_prefix(settings_.line_length);
    }
    out_(terminated ? RecordType::line : RecordType::part, text);
}

void MessageReader::look_for_recipients(std::string_view text) {
    if (!text.empty() && (text.front() == ' ' || text.front() == '\t') && !field_.empty()) {
        if (field_.size() < field_max) (field_ += '\n') += text;
        return;
    }
    end_field();
    if (mail::header_name_length(text) == 0) {
        in_header_ = false;
        return;
    }
    field_ = text;
}

void MessageReader::end_field() {
    const auto field = mail::split_header(field_);
    if (field && (field->info->use & mail::header_use::extract)) {
        const bool resent = field->info->use & mail::header_use::resent;
        resent_seen_ |= resent;
        auto& to = resent ? resent_ : recipients_;
        for (const std::string& external : mail::AddressList::parse(field->value, settings_.tokens_max).addresses())
            if (!external.empty() && to.size() < addresses_max) to.push_back(mail::to_internal(external));
    }
    field_.clear();
}

void MessageReader::finish() {
    if (!ended_ && !partial_.empty()) {
        const std::string rest = std::move(partial_);
        partial_.clear();
        line(rest, false);
    }
    end_field();
}

std::vector<std::string> MessageReader::recipients() const { return resent_seen_ ? resent_ : recipients_; }
}
