// The macros of a pipe command: ${sender}, ${recipient} …, in each argument. An argument that names a recipient becomes
// as many arguments as there are recipients.
//
// When things fail: a name that is no macro is an Error (4.3.5, a configuration error), and mail stays queued.
#pragma once
#include <span>
#include <string>
#include <vector>
#include "attributes.h"
#include "delivery/job.h"
#include "mail/address.h"

namespace pipe_agent {
Result<std::vector<std::string>> expand_arguments(const Attributes& attributes, const ipc::DeliveryRequest& request,
                                                  std::span<const delivery::JobRecipient> recipients,
                                                  const mail::ExtensionRules& rules);
}
