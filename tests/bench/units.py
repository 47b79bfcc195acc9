#!/usr/bin/env python3
"""units.py DIR COUNT TYPES: writes COUNT C++ units and a main into DIR, the workload with much debug information.

Every unit instantiates containers and algorithms of the standard library: over types all units share (COMDAT groups and
merged debug strings, as real programs have them) and over TYPES types of its own. `main` prints the sum of what the units
return, so that a linked program can be checked. A file whose text would not change keeps its time, and so its object.
"""
import os
import sys

HEAD = """\
#include <algorithm>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

template <class T> struct work {
	std::map<std::string, std::vector<T>> by_name;
	std::unordered_map<std::string, std::shared_ptr<T>> held;
	std::set<T> seen;

	void add(const std::string &name, const T &value)
	{
		by_name[name].push_back(value);
		held.emplace(name, std::make_shared<T>(value));
		seen.insert(value);
	}
	long sum(std::function<long(const T &)> weigh)
	{
		long total = 0;
		for (auto &[name, values] : by_name) {
			std::stable_sort(values.begin(), values.end());
			total += std::accumulate(values.begin(), values.end(), 0L,
						 [&](long s, const T &v) { return s + weigh(v); });
			if (auto it = held.find(name); it != held.end())
				total += weigh(*it->second);
		}
		for (const T &v : seen)
			total += std::visit([&](auto x) { return long(x); }, std::variant<int, long>(weigh(v)));
		return total;
	}
};
"""

SHARED = 1
TYPE = """
struct {name} {{
	int key;
	std::string text;
	double weight[{width}];
	bool operator<(const {name} &o) const {{ return key < o.key; }}
}};
"""
FUNCTION = """
static long use_{name}()
{{
	work<{name}> w;
	for (int i = 0; i < 8; i++)
		w.add("{name}" + std::to_string(i % 3), {name}{{i, std::to_string(i * {width}), {{}}}});
	return w.sum([](const {name} &v) {{ return long(v.key) * {width} + long(v.text.size()); }});
}}
"""


def unit(n, types):
    names = [f"shared_{k}" for k in range(SHARED)] + [f"unit_{n}_type_{k}" for k in range(types)]
    out = [HEAD]
    for k, name in enumerate(names):
        out.append(TYPE.format(name=name, width=k + 1))
        out.append(FUNCTION.format(name=name, width=k + 1))
    out.append(f"\nlong unit_{n}()\n{{\n\tlong total = {n};\n")
    out += [f"\ttotal += use_{name}();\n" for name in names]
    out.append(f'\tif (std::regex_match("unit-{n}", std::regex("unit-[0-9]+")))\n\t\ttotal++;\n')
    out.append("\treturn total;\n}\n")
    return "".join(out)


def write(path, text):
    try:
        with open(path, encoding="ascii") as f:
            if f.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


def main():
    folder, count, types = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)
    for n in range(count):
        write(f"{folder}/unit_{n}.cc", unit(n, types))
    calls = "".join(f"\ttotal += unit_{n}();\n" for n in range(count))
    declarations = "".join(f"long unit_{n}();\n" for n in range(count))
    write(f"{folder}/main.cc", f"#include <cstdio>\n{declarations}int main()\n{{\n\tlong total = 0;\n{calls}"
                               '\tprintf("%ld\\n", total);\n}\n')


main()
