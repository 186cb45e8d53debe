// Whole queue files: envelope, recipients, content, marks; what showq lists of them, and what pickup makes of them for
// cleanup.
// uses: pickup_core
#include <vector>
#include "fuzz.h"
#include "conf/settings.h"
#include "queue/file.h"
#include "queue/listing.h"
#include "submission.h"

namespace {
void submission(const queue::QueueFile& file, bool requeued, std::size_t size) {
    pickup::Submission submission(file, {.old_id = "4X", .uid = 1000, .requeued = requeued, .modified = 1});
    std::size_t bytes = 0, records = 0;
    bool ended = false;
    auto out = [&](queue::RecordType type, std::string_view payload) -> Result<void> {
        fuzz::require(!ended, "nothing comes behind END");
        bytes += payload.size();
        ++records;
        ended = type == queue::RecordType::end;
        return {};
    };
    auto done = submission.copy(out, "filter:x", "Received: by x", [](std::string_view) {});
    if (done)
        fuzz::require(records > 0, "a message has records");
    fuzz::require(bytes <= 4 * size + 4096, "a submission does not grow", std::to_string(bytes));
}
}

void fuzz::one(std::string_view bytes) {
    static const queue::Directories directories(std::vector<std::string>{}, 1, fuzz::scratch());
    auto file = queue::QueueFile::adopt(fuzz::file_of(bytes), fuzz::scratch() + "/input");
    if (!file)
        return;
    for (bool order : {false, true}) {
        queue::RecordReader reader(file->fd());
        if (order)
            reader.in_file_order();
        reader.show_pointers();
        for (;;) {
            auto record = reader.next();
            if (!record || !*record)
                break;
            fuzz::require((*record)->payload.size() <= bytes.size(), "a record lies within its file");
        }
    }
    submission(*file, false, bytes.size());
    submission(*file, true, bytes.size());
    (void)queue::list_message(directories, queue::deferred, *mail::QueueId::parse("4ABCDEF"), file->path(), false);
    auto envelope = file->envelope();
    if (!envelope) {
        fuzz::require(queue::is_damage(envelope.error()), "what cannot be read of a whole file is damage",
                      envelope.error().reason);
        return;
    }
    fuzz::require(envelope->arrival.seconds > 0 && envelope->arrival.seconds < std::int64_t(1) << 50,
                  "times can be added to the arrival");
    std::vector<queue::Recipient> all;
    for (queue::RecipientReader recipients(*file, *envelope);;) {
        auto added = recipients.read(all, 7);
        if (!added || *added == 0)
            break;
        fuzz::require(all.size() <= bytes.size(), "there are no more recipients than bytes");
    }
    queue::ContentReader content(*file, envelope->size);
    std::size_t content_bytes = 0;
    for (;;) {
        auto piece = content.next();
        if (!piece || !*piece)
            break;
        content_bytes += (*piece)->text.size();
        fuzz::require(content_bytes <= bytes.size() * 2, "the content is no larger than the file");
    }
    content.rewind();
    std::string text;
    while (content.read(text, 100, "\r\n").value_or(false))
        fuzz::require(text.size() <= 4 * bytes.size() + 4, "the content is no larger than the file");
    // A mark takes one recipient out of what is left, and nothing else.
    if (all.empty())
        return;
    for (const auto& r : all)
        if (!file->mark_done(r.offset))
            return;
    auto after = file->envelope();
    if (!after)
        return;  // records that overlap through pointers
    std::vector<queue::Recipient> left;
    queue::RecipientReader again(*file, *after);
    (void)again.read(left, bytes.size() + 1);
    fuzz::require(left.empty(), "a recipient that is done is not read again", left.empty() ? "" : left[0].address);
}
