// Clocks one CXXRTL model of a run-time core over frames of changing jobs, and plays its host.
//
// Included after driver.cc, whose numbers and packing it uses.

namespace streampool {

// Mirrored by `_Play` in engine.py: any change here is a change there.
struct Play {
    const void *in;              // all frames' beats, lane after lane
    void *out;
    uint8_t *last;               // of each beat out: last, and first where the core marks it
    const uint8_t *marks;        // of each beat in, where the core follows them
    int64_t *in_cycles, *out_cycles;
    int64_t *offered;            // of each frame: the first cycle in which its host lets it come
    const int64_t *frame_beats;  // of each frame in
    const int64_t *write_end;    // of each frame: where in `writes` those of its job end
    const int64_t *delays;       // of each frame: clocks that its host lets pass before it writes
    const int64_t *gaps;         // of each frame: clocks before its first beat is offered
    const uint32_t *writes;      // address, word
    int64_t frames, beats_in, beats_out;
    int64_t loose;               // whether fewer beats may come, since some frames are broken
    uint64_t source, sink, rubbish;
    uint64_t source_threshold, sink_threshold;
    int64_t quiet_bound, surplus_clocks;
    int64_t margin;              // clocks from the arming to the first frame of the job
    int64_t reset_at;            // cycle of a reset, after which all starts again; -1: none
    int64_t noise;               // clocks of anything, with `noise_writes`, before a soft reset
    const uint32_t *noise_writes;
    int64_t noise_count;
    uint32_t reset_address;
    // State, kept between calls.
    int64_t cycle, sent, got, quiet, extra, frame, left, gap, host, place, waits, armed_at;
    int64_t noise_taken, noise_refused;
    int32_t held, shown;
};

constexpr int32_t REFUSED = 6;  // beside those of Status

static inline void start(Play &b) {
    b.sent = b.got = b.quiet = b.extra = b.frame = b.place = 0;
    b.host = -1, b.armed_at = -b.margin - 1, b.held = b.shown = 0;
    b.left = b.frame_beats[0], b.gap = b.gaps[0], b.waits = 0;
    for (int64_t k = 0; k < b.frames; k++) b.offered[k] = 0;
}

// The next frame whose job is to be written.
static inline void next_job(Play &b) {
    do b.host++;
    while (b.host < b.frames && b.write_end[b.host] == b.place);
    b.waits = b.host < b.frames ? b.delays[b.host] : 0;
}

template<class Top, class In, class Out, size_t MARKS>
int32_t play(Top &top, Play &b, int64_t clocks) {
    constexpr size_t WORDS = (In::SIZE + MARKS + 31) / 32;
    constexpr size_t TOP_BITS = (In::SIZE + MARKS - 1) % 32 + 1;
    constexpr size_t OUT_MARKS = MARKS ? 2 : 1;
    constexpr uint32_t TOP_MASK = uint32_t((uint64_t(1) << TOP_BITS) - 1);
    constexpr size_t OUT_WORDS = (Out::SIZE + OUT_MARKS + 31) / 32;
    uint32_t before[OUT_WORDS] = {};

    if (b.host < 0 && !b.noise) next_job(b);
    for (; clocks > 0; clocks--, b.cycle++) {
        bool reset = b.cycle == b.reset_at, noisy = b.noise > 0;
        if (reset) b.held = b.shown = 0;
        // ---- the host: a job is written when the frame before its first has begun
        bool write = false;
        uint32_t address = 0, word = 0;
        bool busy = read(top.p_busy).data[0];
        if (noisy) {
            uint64_t dice = number(b.rubbish, ~b.cycle);
            if (b.noise == 1) {
                write = true, address = b.reset_address, word = 1;
            } else if (dice % 3) {
                const uint32_t *each = b.noise_writes + 2 * (b.place++ % b.noise_count);
                write = true, address = each[0], word = each[1];
                b.noise_refused += busy;
            }
        } else if (!b.noise && b.host < b.frames && !busy && !reset && (b.frame > b.host - 1 ||
                (b.frame == b.host - 1 && b.left < b.frame_beats[b.frame]))) {
            if (b.waits > 0) {
                b.waits--;
            } else {
                write = true, address = b.writes[2 * b.place], word = b.writes[2 * b.place + 1];
                if (++b.place == b.write_end[b.host]) {
                    b.armed_at = b.cycle;
                    next_job(b);
                    b.waits += 3;  // until busy is seen
                }
            }
        }
        top.p_write.data[0] = write;
        top.p_address.data[0] = address;
        top.p_data.data[0] = word;

        // ---- the source: a frame is not offered before its job is in force
        bool begun = !b.noise && b.frame < b.frames && b.left < b.frame_beats[b.frame];
        bool offered = begun || (!b.noise && b.frame < b.frames && b.frame < b.host &&
            (!b.write_end[b.frame] || b.cycle - b.armed_at > b.margin));
        if (offered && !begun && !b.held && b.gap > 0) b.gap--, offered = false;
        if (!offered && b.frame < b.frames) b.offered[b.frame] = b.cycle + 1;
        bool valid = !reset && (b.held || ((offered || noisy) &&
            !(b.source_threshold && number(b.source, b.cycle) < b.source_threshold)));
        bool ready = !(b.sink_threshold && number(b.sink, b.cycle) < b.sink_threshold);
        auto &payload = top.p_i____payload;
        if (!b.held) {
            if (valid && !noisy) {
                Packer<decltype(payload.data)> packer{payload.data};
                In::pack(packer, b.in, b.sent);
                if (MARKS) packer.put(b.marks[b.sent], MARKS);
                packer.end();
            } else {
                for (size_t w = 0; w < WORDS; w++)
                    payload.data[w] = uint32_t(number(b.rubbish, b.cycle * WORDS + w) >> 32);
                payload.data[WORDS - 1] &= TOP_MASK;
            }
        }
        top.p_i____valid.data[0] = valid;
        top.p_o____ready.data[0] = ready;
        top.p_rst.data[0] = reset;
        top.p_clk.data[0] = 1;
        top.prev_p_clk.data[0] = 0;
        if (!top.eval()) return FEEDBACK;

        bool taken = valid && read(top.p_i____ready).data[0];
        bool shown = !reset && read(top.p_o____valid).data[0];
        const auto &data = read(top.p_o____payload);
        if (b.shown) {  // a beat once shown stays until it is taken
            if (!shown) return UNSTABLE;
            for (size_t w = 0; w < OUT_WORDS; w++)
                if (data.data[w] != before[w]) return UNSTABLE;
        }
        for (size_t w = 0; w < OUT_WORDS; w++) before[w] = data.data[w];
        bool given = ready && shown;
        b.shown = shown && !ready;
        if (noisy) {
            b.held = valid && !taken;
            b.noise_taken += taken;
            top.commit();
            if (taken || given) b.quiet = 0;
            else if (b.noise_taken && valid && ready && !write && ++b.quiet > b.quiet_bound) return STUCK;
            if (--b.noise == 0) b.shown = 0, b.held = 0, b.noise = -4;
            continue;
        }
        if (b.noise < 0) {  // the soft reset
            top.commit();
            b.shown = b.held = 0;
            if (++b.noise == 0) start(b), next_job(b);
            continue;
        }
        if (given) {
            if (b.got == b.beats_out) return SURPLUS;
            Out::unpack(data, 0, b.out, b.got);
            b.last[b.got] = uint8_t(field<OUT_MARKS>(data, Out::SIZE));
            b.out_cycles[b.got++] = b.cycle;
        }
        if (taken) {
            b.in_cycles[b.sent++] = b.cycle;
            if (--b.left == 0 && ++b.frame < b.frames)
                b.left = b.frame_beats[b.frame], b.gap = b.gaps[b.frame];
        }
        b.held = valid && !taken;
        if (read(top.p_bad).data[0] || read(top.p_refused).data[0] ||
            read(top.p_out__of__step).data[0]) return REFUSED;
        top.commit();
        if (reset) {
            start(b), next_job(b);
            b.reset_at = -1, b.cycle = -1;
            continue;
        }
        if (given) b.extra = 0;
        if ((b.loose ? !given : b.got == b.beats_out) && b.sent == b.beats_in) {
            if (b.extra++ == b.surplus_clocks) return b.cycle++, DONE;
        } else if (given || taken || write) {
            b.quiet = 0;
        } else if (++b.quiet > b.quiet_bound) {
            return STUCK;
        }
    }
    return RUNNING;
}

}  // namespace streampool
