// Clocks one CXXRTL model over whole frames: source, sink, stalls and bookkeeping.
//
// Included after the model. One evaluation per clock is enough: a flattened model without
// combinational feedback settles in one, and it reads its registers before the edge.

#ifndef STREAMPOOL_DRIVER
#define STREAMPOOL_DRIVER

#include <cstdint>
#include <type_traits>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace streampool {

// Mirrored by `Batch` in fast.py: any change here is a change there.
struct Batch {
    const void *const *in;   // for each field frame after frame, beat after beat, lane after lane
    void *const *out;        // for each field room for `beats_out` beats
    uint8_t *last;
    int64_t *in_cycles;
    int64_t *out_cycles;
    int64_t stored_beats;    // beats in `in`; a longer run goes round them again
    int64_t beats_in;        // beats to send and to get in the whole run
    int64_t beats_out;
    uint64_t source, sink, rubbish;   // where the three streams of random numbers begin
    uint64_t source_threshold, sink_threshold;   // a side is idle in a clock whose number is below
    int64_t quiet_bound;     // clocks without a beat that make a stuck core
    int64_t surplus_clocks;  // clocks to run on after the last beat
    int64_t reset_at;        // cycle of a reset, after which all starts again; -1: none
    // State, kept between calls.
    int64_t cycle, sent, got, quiet, extra;
    int32_t held;
};

enum Status : int32_t {
    RUNNING = 0, DONE = 1, STUCK = 2, SURPLUS = 3, FEEDBACK = 4, UNSTABLE = 5
};

static inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint64_t number(uint64_t start, uint64_t index) {
    return mix(start + index * 0x9E3779B97F4A7C15u);
}

template<size_t N> static inline const cxxrtl::value<N> &read(const cxxrtl::value<N> &v) { return v; }
template<size_t N> static inline const cxxrtl::value<N> &read(const cxxrtl::wire<N> &w) { return w.curr; }

// BITS bits from bit AT of a value.
template<size_t BITS, size_t N>
static inline uint64_t field(const cxxrtl::value<N> &v, size_t at) {
    size_t chunk = at / 32, shift = at % 32;
    uint64_t bits = uint64_t(v.data[chunk]) >> shift;
    for (size_t have = 32 - shift; have < BITS; have += 32)
        bits |= uint64_t(v.data[++chunk]) << have;
    return BITS == 64 ? bits : bits & ((uint64_t(1) << (BITS % 64)) - 1);
}

// Puts values one after the other into the words of a payload.
template<class Words> struct Packer {
    Words &words;
    uint64_t bits = 0;
    size_t have = 0, word = 0;

    void put(uint64_t value, size_t size) {
        for (; size > 32; size -= 32, value >>= 32) put(value & 0xFFFFFFFFu, 32);
        bits |= (value & ((uint64_t(1) << size) - 1)) << have;
        have += size;
        for (; have >= 32; have -= 32, bits >>= 32) words[word++] = uint32_t(bits);
    }
    void end() { if (have) words[word] = uint32_t(bits); }
};

// One of the fields of a beat: LANES values of BITS bits, each a T in memory.
template<size_t LANES, size_t BITS, class T> struct Field {
    static constexpr size_t SIZE = LANES * BITS;

    template<class Words> static void pack(Packer<Words> &packer, const void *from, int64_t beat) {
        for (size_t lane = 0; lane < LANES; lane++)
            packer.put(uint64_t(static_cast<const T *>(from)[beat * LANES + lane]), BITS);
    }
    // Takes the lanes from bit AT on; returns where the next field begins.
    template<size_t N>
    static size_t unpack(const cxxrtl::value<N> &data, size_t at, void *to, int64_t beat) {
        for (size_t lane = 0; lane < LANES; lane++, at += BITS)
            // Bits above BITS fall off, or are filled with the sign.
            static_cast<T *>(to)[beat * LANES + lane] = std::is_signed<T>::value
                ? T(int64_t(field<BITS>(data, at) << (64 - BITS)) >> (64 - BITS))
                : T(field<BITS>(data, at));
        return at;
    }
};

// The fields of a beat, the first in the lowest bits.
template<class... Each> struct Fields {
    static constexpr size_t SIZE = (Each::SIZE + ...);

    template<class Words> static void pack(Words &words, const void *const *from, int64_t beat) {
        Packer<Words> packer{words};
        (Each::pack(packer, *from++, beat), ...);
        packer.end();
    }
    template<size_t N>
    static void unpack(const cxxrtl::value<N> &data, void *const *to, int64_t beat) {
        size_t at = 0;
        ((at = Each::unpack(data, at, *to++, beat)), ...);
    }
};

// Gives a design that has an input of this name its variant, once and for all.
template<class Top> static inline auto choose(Top &top, uint32_t variant, int)
    -> decltype(top.p_variant, void()) { top.p_variant.data[0] = variant; }
template<class Top> static inline void choose(Top &, uint32_t, long) {}

template<class Top> Top *made(uint32_t variant) {
    Top *top = new Top;
    choose(*top, variant, 0);
    return top;
}

template<class Top, class In, class Out>
int32_t run(Top &top, Batch &b, int64_t clocks) {
    constexpr size_t WORDS = (In::SIZE + 31) / 32;
    constexpr size_t TOP_BITS = (In::SIZE - 1) % 32 + 1;
    constexpr uint32_t TOP_MASK = uint32_t((uint64_t(1) << TOP_BITS) - 1);
    int64_t next = b.stored_beats ? b.sent % b.stored_beats : 0;
    auto shown = read(top.p_o____payload);  // what waits to be taken
    bool waits = false;                     // not kept between calls, which are many clocks apart

    for (; clocks > 0; clocks--, b.cycle++) {
        bool reset = b.cycle == b.reset_at;
        if (reset) b.held = 0;
        // A beat once shown stays until it is taken.
        bool valid = !reset && (b.held || (b.sent < b.beats_in &&
            !(b.source_threshold && number(b.source, b.cycle) < b.source_threshold)));
        bool ready = !(b.sink_threshold && number(b.sink, b.cycle) < b.sink_threshold);

        auto &payload = top.p_i____payload;
        if (!valid) {
            for (size_t w = 0; w < WORDS; w++)
                payload.data[w] = uint32_t(number(b.rubbish, b.cycle * WORDS + w) >> 32);
            payload.data[WORDS - 1] &= TOP_MASK;
        } else if (!b.held) {
            In::pack(payload.data, b.in, next);
        }
        top.p_i____valid.data[0] = valid;
        top.p_o____ready.data[0] = ready;
        top.p_rst.data[0] = reset;
        top.p_clk.data[0] = 1;
        top.prev_p_clk.data[0] = 0;
        if (!top.eval()) return FEEDBACK;

        bool taken = valid && read(top.p_i____ready).data[0];
        bool offered = !reset && read(top.p_o____valid).data[0];
        bool given = ready && offered;
        const auto &data = read(top.p_o____payload);
        if (waits && !reset && !(offered && data == shown)) return UNSTABLE;
        waits = offered && !ready;
        if (waits) shown = data;
        if (given) {
            if (b.got == b.beats_out) return SURPLUS;
            Out::unpack(data, b.out, b.got);
            b.last[b.got] = uint8_t(field<1>(data, Out::SIZE));
            b.out_cycles[b.got++] = b.cycle;
        }
        if (taken) {
            b.in_cycles[b.sent++] = b.cycle;
            if (++next == b.stored_beats) next = 0;
        }
        b.held = valid && !taken;
        top.commit();

        if (reset) {
            b.sent = b.got = next = b.quiet = b.extra = 0;
            // The cycles are counted from the first clock after the reset.
            b.reset_at = -1, b.cycle = -1;
            continue;
        }
        // A frame's last inputs may be after its last output, where no window reads them.
        if (b.got == b.beats_out && b.sent == b.beats_in) {
            if (b.extra++ == b.surplus_clocks) return b.cycle++, DONE;
        } else if (given || taken) {
            b.quiet = 0;
        } else if (ready && (valid || b.sent == b.beats_in)) {
            if (++b.quiet > b.quiet_bound) return STUCK;
        }
    }
    return RUNNING;
}

}  // namespace streampool

#endif
