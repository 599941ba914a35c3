// Drives a verilated core clock by clock, as standard input says, and leaves its coverage in the
// file named by the first argument.
//
// A run is six numbers: beats to send and beats due; how often of 2**32 clocks the source stalls,
// and the sink; a seed; the clock of a reset, which ends the run, or -1. Behind them are the beats to
// send in hexadecimal, tlast above tdata. A line of output is a run's beats in the same form, then
// frame_error. TOP names the model, BITS and OUT_BITS the widths of its tdata.

#include <cinttypes>
#include <cstdint>
#include <cstdio>

#include "Vtop.h"
#include "verilated.h"
#include "verilated_cov.h"

namespace {

constexpr int64_t QUIET = 2000;  // clocks without a transfer after which a core is stuck
constexpr int64_t MORE = 100;    // clocks in which nothing may come behind the last beat

VerilatedContext context;
Vtop top{&context};
uint64_t state;

// SplitMix64
uint64_t random_bits() {
    uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

bool below(uint64_t threshold) { return random_bits() >> 32 < threshold; }

void edge() {
    top.aclk = 1;
    top.eval();
    top.aclk = 0;
    top.eval();
}

void offer(bool valid, uint64_t beat) {
    top.s_axis_tvalid = valid;
    top.s_axis_tdata = beat & ((uint64_t{1} << BITS) - 1);
    top.s_axis_tlast = beat >> BITS & 1;
}

const char *reset() {
    top.aresetn = 0;
    offer(false, random_bits());
    edge();
    top.aresetn = 1;
    top.eval();
    const bool clear = !top.m_axis_tvalid && top.s_axis_tready && !top.frame_error;
    return clear ? nullptr : "a reset leaves something";
}

// Returns what is wrong; nothing at all is wrong, and nothing was run, where it is empty.
const char *run() {
    int64_t send, due, reset_at;
    uint64_t source, sink, beat = 0, waits = 0;
    if (std::scanf("%" SCNd64 "%" SCNd64 "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNd64, &send, &due,
                   &source, &sink, &state, &reset_at) != 6)
        return "";
    int64_t read = 0, sent = 0, came = 0, quiet = 0;
    bool valid = false, waiting = false;
    const char *wrong = nullptr;
    for (int64_t clock = 0; !wrong; ++clock) {
        if (clock == reset_at) {
            wrong = reset();
            break;
        }
        if (read == sent && sent < send && std::scanf("%" SCNx64, &beat) == 1) ++read;
        valid = valid || (read > sent && !below(source));
        offer(valid, valid ? beat : random_bits());
        top.m_axis_tready = !below(sink);
        top.eval();
        const uint64_t data = top.m_axis_tdata, last = top.m_axis_tlast;
        const uint64_t given = data | last << OUT_BITS;
        const bool taken = valid && top.s_axis_tready;
        const bool left = top.m_axis_tvalid && top.m_axis_tready;
        if (waiting && !(top.m_axis_tvalid && given == waits)) wrong = "a beat changed";
        waiting = top.m_axis_tvalid && !left;
        waits = given;
        edge();
        if (taken) valid = false, ++sent;
        if (left) {
            std::printf("%" PRIx64 " ", given);
            if (++came > due) wrong = "too many beats";
        }
        quiet = taken || left ? 0 : quiet + 1;
        if (sent == send && came == due && quiet == MORE) break;
        if (quiet == QUIET) wrong = "stuck";
    }
    for (; read < send; ++read)
        if (std::scanf("%" SCNx64, &beat) != 1) return "beats are missing";
    std::printf("%d\n", top.frame_error);
    return wrong;
}

}  // namespace

int main(int, char **arguments) {
    const char *wrong = reset();
    while (!wrong) wrong = run();
    if (*wrong) std::printf("%s\n", wrong);
    context.coveragep()->write(arguments[1]);
    return *wrong != 0;
}
