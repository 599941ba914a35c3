// Clocks one CXXRTL model of a board's top level, with a serial line at its pins, bit by bit.
//
// Included after the model, whose class is TOP. As in driver.cc, one evaluation per clock is enough.

#include <cstdint>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace streampool {

// Mirrored by `_Line` in simulated.py: any change here is a change there.
struct Line {
    const uint8_t *levels;   // what the line is, bit after bit
    int64_t to_send, sent;
    uint8_t *bytes;          // what came back, and whether its stop bit was right
    uint8_t *broken;
    int64_t room, came;
    int64_t period;          // clocks of the host's bit, in 1/1024
    int64_t quiet;           // clocks in which the line has been idle both ways
    int64_t cycle;
    // State, kept between calls.
    int64_t in_bit, out_left;
    int32_t out_bits, out_byte;
    int32_t button, lamps;
};

template<size_t N> static inline const cxxrtl::value<N> &read(const cxxrtl::value<N> &v) { return v; }
template<size_t N> static inline const cxxrtl::value<N> &read(const cxxrtl::wire<N> &w) { return w.curr; }

template<class Top> int32_t run(Top &top, Line &line, int64_t clocks, int64_t quiet) {
    constexpr int64_t CLOCK = 1024;
    for (; clocks > 0 && line.quiet < quiet && line.came < line.room; clocks--, line.cycle++) {
        bool sending = line.sent < line.to_send;
        top.p_rx.data[0] = sending ? line.levels[line.sent] : 1;
        top.p_button.data[0] = uint32_t(line.button);
        top.p_rst.data[0] = 0;
        top.p_clk.data[0] = 1;
        top.prev_p_clk.data[0] = 0;
        if (!top.eval()) return 1;
        bool tx = read(top.p_tx).data[0];
        line.lamps = int32_t(read(top.p_lamps).data[0]);
        top.commit();

        if (sending && (line.in_bit += CLOCK) >= line.period) {
            line.in_bit -= line.period;
            line.sent++;
        }
        // The host's receiver samples in the middle of each bit, by the host's clock.
        if (!line.out_bits) {
            if (!tx) line.out_bits = 10, line.out_left = line.period / 2, line.out_byte = 0;
        } else if ((line.out_left -= CLOCK) <= 0) {
            line.out_left += line.period;
            line.out_bits--;
            if (line.out_bits == 9) {
                if (tx) line.out_bits = 0;
            } else if (line.out_bits) {
                line.out_byte |= int32_t(tx) << (8 - line.out_bits);
            } else {
                line.bytes[line.came] = uint8_t(line.out_byte);
                line.broken[line.came++] = !tx;
            }
        }
        line.quiet = sending || line.out_bits ? 0 : line.quiet + 1;
    }
    return 0;
}

}  // namespace streampool
