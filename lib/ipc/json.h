// Members of JSON objects that other programs wrote, for lib/ipc/tlsrpt and services/tlsrpt: nothing is thrown,
// whatever they hold.
//
// When things fail: false where the member is there and of another kind; a member that is not there leaves `to` as it
// is.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <vector>

namespace ipc {
// T: std::string, bool or an integer; an unsigned one takes no negative number.
template <class Json, class T> bool take_member(const Json& object, const char* key, T& to) {
    auto it = object.find(key);
    if (it == object.end())
        return true;
    if constexpr (std::is_same_v<T, std::string>) {
        if (!it->is_string())
            return false;
    } else if constexpr (std::is_same_v<T, bool>) {
        if (!it->is_boolean())
            return false;
    } else if constexpr (std::is_unsigned_v<T>) {
        if (!it->is_number_unsigned())
            return false;
    } else if (!it->is_number_integer())
        return false;
    to = it->template get<T>();
    return true;
}

// An array of strings; they are added to those in `to`.
template <class Json> bool take_member(const Json& object, const char* key, std::vector<std::string>& to) {
    auto it = object.find(key);
    if (it == object.end())
        return true;
    if (!it->is_array())
        return false;
    for (const Json& one : *it) {
        if (!one.is_string())
            return false;
        to.push_back(one.template get<std::string>());
    }
    return true;
}
}
