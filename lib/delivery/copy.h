// Copies a message out of its queue file, with the lines in front that a final delivery adds: for local, virtual and
// pipe.
//
// When things fail: the sink's error, or the queue file's (damage), both as they are; what was copied until then was
// handed on.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include "base/error.h"
#include "delivery/job.h"

namespace delivery {
struct CopyOptions {
    bool from_line = false;     // "From sender  date", in front of all
    bool return_path = false;   // Return-Path: <sender>
    bool original_to = false;   // X-Original-To:, where the original recipient is known
    bool delivered_to = false;  // Delivered-To:
    bool quote_from = false;    // ">From " for lines that begin with "From "
    bool quote_dot = false;     // ".." for lines that begin with "."
    bool blank_line = false;    // an empty line at the end
    std::string_view end_of_line = "\n";
    std::string sender{};     // internal form; "" : <> and MAILER-DAEMON
    std::string original{};   // for original_to, internal form
    std::string delivered{};  // for delivered_to, internal form
};
// Takes a large piece of text; an Error ends the copy.
using Sink = std::function<Result<void>(std::string_view)>;
// Bytes handed to the sink.
Result<std::int64_t> copy_message(const Job& job, const CopyOptions& options, const Sink& sink);

// "From sender  Sun Nov 22 00:48:53 2026", without a line end.
std::string from_line(std::string_view sender, std::time_t when);
}
