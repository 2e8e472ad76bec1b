// The arguments of a call from JavaScript, checked: a wrong one is a TypeError that names it, never a read
// beyond an array's end.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace ostinato::addon {

/** A JavaScript exception is pending: nothing more is to be said. */
struct PendingException {};

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, std::size_t expected) : env_(env), values_(expected) {
    std::size_t count = expected;
    check(napi_get_cb_info(env, info, &count, values_.data(), nullptr, nullptr));
    if (count != expected) {
      throw std::invalid_argument("got " + std::to_string(count) + " arguments, expected " + std::to_string(expected));
    }
  }

  Arguments(napi_env env, napi_value value) : env_(env), values_({value}) {}

  napi_env env() const { return env_; }

  bool isNull(std::size_t index) const {
    napi_valuetype type;
    check(napi_typeof(env_, values_.at(index), &type));
    return type == napi_null || type == napi_undefined;
  }

  int integer(std::size_t index, const char* name) const {
    double value = number(index, name);
    if (!(value >= 0 && value <= 2147483647.0) || value != static_cast<double>(static_cast<std::int32_t>(value))) {
      throw std::invalid_argument(std::string(name) + " is not a whole number from 0");
    }
    return static_cast<int>(value);
  }

  double number(std::size_t index, const char* name) const {
    double value;
    if (napi_get_value_double(env_, values_.at(index), &value) != napi_ok) {
      throw std::invalid_argument(std::string(name) + " is not a number");
    }
    return value;
  }

  /** Rounded to float32, which changes nothing where JavaScript has done so. */
  float float32(std::size_t index, const char* name) const { return static_cast<float>(number(index, name)); }

  bool flag(std::size_t index, const char* name) const {
    bool value;
    if (napi_get_value_bool(env_, values_.at(index), &value) != napi_ok) {
      throw std::invalid_argument(std::string(name) + " is not a boolean");
    }
    return value;
  }

  float* floats(std::size_t index, const char* name, std::size_t size) const {
    return static_cast<float*>(typedArray(values_.at(index), name, napi_float32_array, "Float32Array", size));
  }
  float* floatsOrNull(std::size_t index, const char* name, std::size_t size) const {
    return isNull(index) ? nullptr : floats(index, name, size);
  }
  double* doubles(std::size_t index, const char* name, std::size_t size) const {
    return static_cast<double*>(typedArray(values_.at(index), name, napi_float64_array, "Float64Array", size));
  }
  std::int32_t* integers(std::size_t index, const char* name, std::size_t size) const {
    return static_cast<std::int32_t*>(typedArray(values_.at(index), name, napi_int32_array, "Int32Array", size));
  }

  const std::uint8_t* bytes(std::size_t index, const char* name) const {
    return static_cast<const std::uint8_t*>(
        typedArray(values_.at(index), name, napi_uint8_array, "Uint8Array", lengthOf(index, name)));
  }

  std::size_t lengthOf(std::size_t index, const char* name) const {
    std::size_t length;
    if (napi_get_typedarray_info(env_, values_.at(index), nullptr, &length, nullptr, nullptr, nullptr) != napi_ok) {
      throw std::invalid_argument(std::string(name) + " is no typed array");
    }
    return length;
  }

  napi_value at(std::size_t index) const { return values_.at(index); }

  static void check(napi_status status) {
    if (status != napi_ok) throw PendingException();
  }

 private:
  void* typedArray(napi_value value, const char* name, napi_typedarray_type wanted, const char* typeName,
                   std::size_t size) const {
    napi_typedarray_type type;
    std::size_t length;
    void* data;
    if (napi_get_typedarray_info(env_, value, &type, &length, &data, nullptr, nullptr) != napi_ok || type != wanted) {
      throw std::invalid_argument(std::string(name) + " is no " + typeName);
    }
    if (length != size) {
      throw std::invalid_argument(std::string(name) + " has " + std::to_string(length) + " values, expected " +
                                  std::to_string(size));
    }
    return data;
  }

  napi_env env_;
  std::vector<napi_value> values_;
};

/** A call whose one argument is an object of named values, of which each is read like an argument. */
class Fields {
 public:
  explicit Fields(const Arguments& args) : env_(args.env()), object_(args.at(0)) {
    napi_valuetype type;
    if (napi_typeof(env_, object_, &type) != napi_ok || type != napi_object) {
      throw std::invalid_argument("the argument is no object");
    }
  }

  Arguments field(const char* name) const {
    napi_value value;
    Arguments::check(napi_get_named_property(env_, object_, name, &value));
    return Arguments(env_, value);
  }
  bool isNull(const char* name) const { return field(name).isNull(0); }
  int integer(const char* name) const { return field(name).integer(0, name); }
  double number(const char* name) const { return field(name).number(0, name); }
  bool flag(const char* name) const { return field(name).flag(0, name); }
  float* floats(const char* name, std::size_t size) const { return field(name).floats(0, name, size); }
  float* floatsOrNull(const char* name, std::size_t size) const { return field(name).floatsOrNull(0, name, size); }
  std::int32_t* integers(const char* name, std::size_t size) const { return field(name).integers(0, name, size); }

 private:
  napi_env env_;
  napi_value object_;
};

/** A function of the addon: its name, and what it does with its arguments. */
using Body = napi_value (*)(const Arguments&);

struct Binding {
  const char* name;
  std::size_t numArguments;
  Body body;
};

/** Runs a binding; what it throws becomes a JavaScript TypeError with the function's name before it. */
inline napi_value call(napi_env env, napi_callback_info info) {
  void* data;
  if (napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data) != napi_ok) return nullptr;
  const Binding& binding = *static_cast<const Binding*>(data);
  try {
    return binding.body(Arguments(env, info, binding.numArguments));
  } catch (const PendingException&) {
    bool isPending = false;
    napi_is_exception_pending(env, &isPending);
    if (!isPending) napi_throw_error(env, nullptr, (std::string(binding.name) + ": Node-API failed").c_str());
  } catch (const std::bad_alloc&) {
    napi_throw_error(env, nullptr, (std::string(binding.name) + ": out of memory").c_str());
  } catch (const std::exception& error) {
    napi_throw_type_error(env, nullptr, (std::string(binding.name) + ": " + error.what()).c_str());
  }
  return nullptr;
}

}  // namespace ostinato::addon
