// All services of the mail system, from start to end: what signals and reloads do to them.
//
// When things fail: start() says why nothing was started; a failing reload leaves everything as it was.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>
#include "configuration.h"
#include "service.h"

namespace master {
class Supervisor {
public:
    Supervisor(loop::Loop& loop, std::string directory, Options options);
    Result<void> start(ConfigurationPtr configuration);
    void reload();
    void stop(std::string_view why);  // run() ends when all workers have
    void abort();
    void reap();  // SIGCHLD: of workers, and as process 1 of orphans
    const ConfigurationPtr& configuration() const { return configuration_; }

private:
    using Services = std::vector<std::unique_ptr<Service>>;
    Result<std::vector<GenerationPtr>> open_all(const ConfigurationPtr& configuration) const;
    void apply(const std::vector<GenerationPtr>& generations);
    void collect_exits();     // a fiber
    void look_for_changes();  // a fiber: files that were read and have changed
    void sweep();             // services that are gone

    loop::Loop& loop_;
    std::string directory_;
    Options options_;
    ConfigurationPtr configuration_;
    Services services_;
    struct Exit {
        pid_t pid;
        int status;
    };
    std::deque<Exit> exits_;
    loop::Condition exited_;
    int generation_ = 1;
    bool stopping_ = false;
};
}
