// Plays gates of one bit from tables: a netlist's model, with the interface of CXXRTL's.
//
// Included by the generated class, which has the ports and points at its tables. Every gate is a
// table of three inputs, in an order in which none is looked at before it is known.

#ifndef STREAMPOOL_GATES
#define STREAMPOOL_GATES

#include <cstdint>
#include <vector>

namespace streampool {

struct Gate { uint32_t table, a, b, c, out; };
// A memory read without a clock; as a gate its table is above 255, and `a` its number.
struct ReadPort { uint32_t memory, address, bits, data, width; };
struct WritePort { uint32_t memory, address, bits, data, enable, width; };
struct Word { uint32_t memory, address; uint64_t value; };
struct Tables {
    uint32_t nets;
    const Gate *gates; uint32_t gate_count;
    const uint32_t *pins;        // nets, of memories' ports
    const ReadPort *reads;
    const WritePort *writes; uint32_t write_count;
    const uint32_t *registers;   // pairs: where it gets its value, where it gives it
    uint32_t register_count;
    const uint8_t *start;        // of every net
    const uint32_t *sizes; uint32_t memory_count;
    const Word *words; uint32_t word_count;   // of memories, those that do not start as 0
};

class Gates {
    const Tables &t;
    std::vector<uint8_t> next;
    std::vector<std::vector<uint64_t>> memories;

    uint32_t number(uint32_t at, uint32_t bits) const {
        uint32_t value = 0;
        for (uint32_t k = 0; k < bits; k++) value |= uint32_t(v[t.pins[at + k]]) << k;
        return value;
    }

public:
    std::vector<uint8_t> v;

    explicit Gates(const Tables &tables)
        : t(tables), next(t.register_count), v(t.start, t.start + t.nets) {
        for (uint32_t m = 0; m < t.memory_count; m++) memories.emplace_back(t.sizes[m]);
        for (uint32_t k = 0; k < t.word_count; k++)
            memories[t.words[k].memory][t.words[k].address] = t.words[k].value;
    }

    void settle() {
        for (uint32_t k = 0; k < t.gate_count; k++) {
            const Gate &g = t.gates[k];
            if (g.table <= 255) {
                v[g.out] = (g.table >> (v[g.a] | v[g.b] << 1 | v[g.c] << 2)) & 1;
                continue;
            }
            const ReadPort &port = t.reads[g.a];
            const auto &words = memories[port.memory];
            uint32_t at = number(port.address, port.bits);
            uint64_t word = at < words.size() ? words[at] : 0;
            for (uint32_t bit = 0; bit < port.width; bit++)
                v[t.pins[port.data + bit]] = (word >> bit) & 1;
        }
    }

    void clock() {
        for (uint32_t k = 0; k < t.register_count; k++) next[k] = v[t.registers[2 * k]];
        for (uint32_t k = 0; k < t.write_count; k++) {
            const WritePort &port = t.writes[k];
            auto &words = memories[port.memory];
            uint32_t at = number(port.address, port.bits);
            if (at >= words.size()) continue;
            for (uint32_t bit = 0; bit < port.width; bit++)
                if (v[t.pins[port.enable + bit]])
                    words[at] = (words[at] & ~(uint64_t(1) << bit))
                        | uint64_t(v[t.pins[port.data + bit]]) << bit;
        }
        for (uint32_t k = 0; k < t.register_count; k++) v[t.registers[2 * k + 1]] = next[k];
    }

    template<class Value> void put(const Value &port, const uint32_t *nets, uint32_t bits) {
        for (uint32_t k = 0; k < bits; k++) v[nets[k]] = (port.data[k / 32] >> (k % 32)) & 1;
    }
    template<class Value> void get(Value &port, const uint32_t *nets, uint32_t bits) const {
        for (uint32_t word = 0; word * 32 < bits; word++) port.data[word] = 0;
        for (uint32_t k = 0; k < bits; k++) port.data[k / 32] |= uint32_t(v[nets[k]]) << (k % 32);
    }
};

// Clocks a netlist whose inputs stay as they are until one of two nets is high: the first at once,
// the second a clock later. Returns 0 or 1, or -1 where neither was within `most` clocks.
inline int64_t verdict(const Tables &tables, const uint32_t *inputs, uint32_t count, bool level,
                       uint32_t first, uint32_t second, int64_t most) {
    Gates gates(tables);
    for (uint32_t k = 0; k < count; k++) gates.v[inputs[k]] = level;
    for (bool before = false; most > 0; most--) {
        gates.settle();
        if (gates.v[first]) return 0;
        if (before) return 1;
        before = gates.v[second];
        gates.clock();
    }
    return -1;
}

}  // namespace streampool

#endif
