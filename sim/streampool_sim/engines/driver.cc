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
    const void *frames;      // frame after frame, beat after beat, lane after lane
    const int64_t *indices;  // the same of their indices, where these come in
    void *out;               // room for `beats_out` beats
    int64_t *out_indices;    // the same of their indices, where these leave
    uint8_t *last;
    int64_t *in_cycles;
    int64_t *out_cycles;
    int64_t stored_beats;    // beats in `frames`; a longer run goes round them again
    int64_t beats_in;        // beats to send and to get in the whole run
    int64_t beats_out;
    uint64_t source, sink, rubbish;   // where the three streams of random numbers begin
    uint64_t threshold;      // a side is idle in a clock whose number is below this
    int64_t quiet_bound;     // clocks without a beat that make a stuck core
    int64_t surplus_clocks;  // clocks to run on after the last beat
    int64_t reset_at;        // cycle of a reset, after which all starts again; -1: none
    // State, kept between calls.
    int64_t cycle, sent, got, quiet, extra;
    int32_t held;
};

enum Status : int32_t { RUNNING = 0, DONE = 1, STUCK = 2, SURPLUS = 3, FEEDBACK = 4 };

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

// A beat is LANES values and, where INDEX_BITS is not 0, as many indices behind them.
template<class Top, size_t LANES, size_t IN_BITS, class In, size_t IN_INDEX_BITS,
         size_t OUT_BITS, class Out, size_t OUT_INDEX_BITS>
int32_t run(Top &top, Batch &b, int64_t clocks) {
    constexpr size_t BEAT_BITS = LANES * (IN_BITS + IN_INDEX_BITS);
    constexpr size_t WORDS = (BEAT_BITS + 31) / 32;
    constexpr size_t TOP_BITS = (BEAT_BITS - 1) % 32 + 1;
    constexpr uint32_t TOP_MASK = uint32_t((uint64_t(1) << TOP_BITS) - 1);
    const In *frames = static_cast<const In *>(b.frames);
    Out *out = static_cast<Out *>(b.out);
    int64_t next = b.stored_beats ? b.sent % b.stored_beats : 0;

    for (; clocks > 0; clocks--, b.cycle++) {
        bool reset = b.cycle == b.reset_at;
        if (reset) b.held = 0;
        // A beat once shown stays until it is taken.
        bool valid = !reset && (b.held || (b.sent < b.beats_in &&
            !(b.threshold && number(b.source, b.cycle) < b.threshold)));
        bool ready = !(b.threshold && number(b.sink, b.cycle) < b.threshold);

        auto &payload = top.p_i____payload;
        if (!valid) {
            for (size_t w = 0; w < WORDS; w++)
                payload.data[w] = uint32_t(number(b.rubbish, b.cycle * WORDS + w) >> 32);
            payload.data[WORDS - 1] &= TOP_MASK;
        } else if (!b.held) {
            Packer<decltype(payload.data)> packer{payload.data};
            for (size_t lane = 0; lane < LANES; lane++)
                packer.put(uint64_t(frames[next * LANES + lane]), IN_BITS);
            if constexpr (IN_INDEX_BITS > 0)
                for (size_t lane = 0; lane < LANES; lane++)
                    packer.put(uint64_t(b.indices[next * LANES + lane]), IN_INDEX_BITS);
            packer.end();
        }
        top.p_i____valid.data[0] = valid;
        top.p_o____ready.data[0] = ready;
        top.p_rst.data[0] = reset;
        top.p_clk.data[0] = 1;
        top.prev_p_clk.data[0] = 0;
        if (!top.eval()) return FEEDBACK;

        bool taken = valid && read(top.p_i____ready).data[0];
        bool given = ready && !reset && read(top.p_o____valid).data[0];
        if (given) {
            if (b.got == b.beats_out) return SURPLUS;
            const auto &data = read(top.p_o____payload);
            for (size_t lane = 0; lane < LANES; lane++)
                // Bits above OUT_BITS fall off, or are filled with the sign.
                out[b.got * LANES + lane] = std::is_signed<Out>::value
                    ? Out(int64_t(field<OUT_BITS>(data, lane * OUT_BITS) << (64 - OUT_BITS)) >> (64 - OUT_BITS))
                    : Out(field<OUT_BITS>(data, lane * OUT_BITS));
            if constexpr (OUT_INDEX_BITS > 0)
                for (size_t lane = 0; lane < LANES; lane++)
                    b.out_indices[b.got * LANES + lane] = int64_t(
                        field<OUT_INDEX_BITS>(data, LANES * OUT_BITS + lane * OUT_INDEX_BITS));
            b.last[b.got] = uint8_t(field<1>(data, LANES * (OUT_BITS + OUT_INDEX_BITS)));
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
