#include "message.h"
#include "base/bytes.h"
#include "mail/address.h"
#include "mail/address_tokens.h"
#include "mail/header.h"

namespace sendmail {
using queue::RecordType;

bool MessageReader::take(std::string_view bytes) {
    while (!bytes.empty() && !ended_) {
        const std::size_t end = bytes.find('\n');
        if (end == std::string_view::npos) {
            partial_ += bytes;
            // A long line goes out in pieces as it comes; the last two bytes wait, since one may be a CR.
            std::string_view rest = partial_;
            for (; rest.size() > settings_.line_length + 1; rest.remove_prefix(settings_.line_length))
                piece(rest.substr(0, settings_.line_length), Piece::more);
            partial_.erase(0, partial_.size() - rest.size());
            return true;
        }
        if (partial_.empty()) {
            line(bytes.substr(0, end), Piece::last);
        } else {
            partial_ += bytes.substr(0, end);
            const std::string whole = std::move(partial_);
            partial_.clear();
            line(whole, Piece::last);
        }
        bytes.remove_prefix(end + 1);
    }
    return !ended_;
}

// What is left of a line.
void MessageReader::line(std::string_view text, Piece how) {
    if (first_line_)
        strip_ = settings_.endings == LineEndings::always ||
                 (settings_.endings == LineEndings::strict && text.ends_with('\r'));
    first_line_ = false;
    if (how == Piece::last && strip_ && settings_.endings != LineEndings::never && text.ends_with('\r'))
        text.remove_suffix(1);
    for (; text.size() > settings_.line_length; text.remove_prefix(settings_.line_length))
        piece(text.substr(0, settings_.line_length), Piece::more);
    piece(text, how);
    continuing_ = dropped_ = false;
}

// What a line is, its first piece decides.
void MessageReader::piece(std::string_view text, Piece how) {
    if (!continuing_) {
        if (!settings_.dot_is_data && text == "." && how != Piece::more) {
            ended_ = true;
            return;
        }
        // mbox separators in front of a header, quoted or not
        if (!begun_) {
            std::string_view unquoted = text;
            while (unquoted.starts_with('>'))
                unquoted.remove_prefix(1);
            dropped_ = unquoted.starts_with("From ");
        }
        begun_ |= !dropped_;
        if (!dropped_ && in_header_ && settings_.extract)
            look_for_recipients(text);
    } else if (!dropped_ && in_header_ && settings_.extract) {
        field_ += text;
    }
    if (!dropped_)
        out_(how == Piece::last ? RecordType::line : RecordType::part, text);
    continuing_ = true;
}

void MessageReader::look_for_recipients(std::string_view text) {
    if (!text.empty() && (text.front() == ' ' || text.front() == '\t') && !field_.empty()) {
        (field_ += '\n') += text;
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
        for (const std::string& external : mail::AddressList::parse(field->value).addresses())
            if (!external.empty())
                to.push_back(mail::to_internal(external));
    }
    field_.clear();
}

void MessageReader::finish() {
    if (!ended_ && !partial_.empty()) {
        const std::string rest = std::move(partial_);
        partial_.clear();
        line(rest, Piece::unterminated);
    }
    end_field();
}

std::vector<std::string> MessageReader::recipients() const { return resent_seen_ ? resent_ : recipients_; }
}
