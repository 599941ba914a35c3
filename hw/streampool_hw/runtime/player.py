"""A program in memory, played beat by beat, and replaced by another one between two frames."""

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .maxima import StageMaxima
from .registers import stage_registers


def told(most: StageMaxima) -> data.StructLayout:
    """Return what a player is told beside its program: the fields of its registers."""
    fields = [field for register in stage_registers(most) for field in register.fields]
    return data.StructLayout({field.name: field.bits for field in fields})


class Player(wiring.Component):
    """Play the program of the job at work, a word per slot, and take the next job over.

    The program stands in one of two banks of a memory; into the other one the next job's is
    written. A slot takes `SLOT` clocks or more, so what follows a word is worked out behind it, in
    a few clocks. A job is taken over in the last slot of the frame before, so that no clock is
    lost; where it comes too late for that, between two frames, in seven clocks.

    Members
    -------
    step : In(1)
        Whether a step is taken in this clock.
    word : Out
        The word of the step to come, or taken now; a register.
    slot_last : Out(1)
        Whether that step is its slot's last; a register.
    frame_last : Out(1)
        Whether that step is its frame's last.
    again : In(1)
        Whether the job goes on after a reset; high for one clock, when `due` is low.
    between : Out(1)
        Whether no frame has begun that has not ended; a register.
    drains : In(1)
        Whether there will be something left of the run before in the next clock.
    shut : Out(1)
        Whether no step may be taken; a register.
    settling : Out(1)
        Whether a run waits for its first slot, since slots of its job are short of beats.
    final : Out(1)
        Whether the slot is its run's last, and has begun; low for its first two clocks.
    ends : Out(1)
        Whether a run ends with a step in this clock: all its inputs are in.
    job : Out
        What the job at work is told. From `copied` on it is that of the next frame.
    copied : Out(1)
        Whether the next frame's job is in `job` already.
    staged : In
        What the next job is told, steady from `due` to `copy`.
    due : In(1)
        Whether the frame to come is the staged job's first. Stays high until after `copy`.
    copy : Out(1)
        Whether the staged job is taken over with this clock's end.
    began : Out(1)
        Whether a frame began a clock ago.
    load, load_at, load_word : In
        A word of the next job's program, and its place.
    """

    step: Signal
    word: Signal
    slot_last: Signal
    frame_last: Signal
    again: Signal
    between: Signal
    drains: Signal
    shut: Signal
    settling: Signal
    final: Signal
    ends: Signal
    job: data.View
    copied: Signal
    staged: data.View
    due: Signal
    copy: Signal
    began: Signal
    load: Signal
    load_at: Signal
    load_word: Signal

    def __init__(self, most: StageMaxima):
        self._most = most
        super().__init__(
            {
                "step": In(1),
                "word": Out(most.word_bits),
                "slot_last": Out(1),
                "frame_last": Out(1),
                "again": In(1),
                "between": Out(1),
                "drains": In(1),
                "shut": Out(1),
                "settling": Out(1),
                "final": Out(1),
                "ends": Out(1),
                "job": Out(told(most)),
                "copied": Out(1),
                "staged": In(told(most)),
                "due": In(1),
                "copy": Out(1),
                "began": Out(1),
                "load": In(1),
                "load_at": In(most.place_bits),
                "load_word": In(most.word_bits),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # the job outlasts a reset, after which it may go on
        most, job = self._most, Signal(told(self._most), reset_less=True)
        step, word = self.step, Signal(most.word_bits)
        restart = Signal()  # a job begins that was taken over between frames
        m.d.comb += [self.word.eq(word), self.job.eq(job)]

        # ---- the slot: left to come after this step, and whether there is any
        left, more = Signal(most.m_bits), Signal()
        many = Signal()
        within = Signal()
        advance = Signal()
        m.d.sync += many.eq(job.m1.any())
        m.d.comb += [self.slot_last.eq(~more), advance.eq(step & ~more | restart)]
        with m.If(step):
            m.d.sync += within.eq(more)
        with m.If(step | restart):
            m.d.sync += left.eq(left + Mux(more, -1, job.m1))
            m.d.sync += more.eq(Mux(more, left != 1, many))

        # ---- the program: place of the word, what follows it, and that one's word
        bank = Signal(reset_less=True)
        place, follows = Signal(most.place_bits), Signal(most.place_bits)
        following = Signal(most.word_bits)
        m.submodules.program = program = memory.Memory(
            shape=unsigned(most.word_bits), depth=2 * most.words, init=[]
        )
        write, read = program.write_port(), program.read_port(domain="comb")
        m.d.comb += [
            *(write.en.eq(self.load), write.data.eq(self.load_word)),
            *(write.addr.eq(Cat(self.load_at, ~bank)), read.addr.eq(Cat(follows, bank))),
        ]
        turns, turns_more = Signal(most.turn_bits), Signal()
        runs, runs_more = Signal(most.run_bits), Signal()
        phases = Signal(4)  # of a take-over between frames
        many_turns, many_runs = Signal(), Signal()
        loop, end = word[most.loop_bit], word[most.loop_bit + 1]
        again, final, is_final = Signal(), Signal(), Signal()
        last_slot = Signal()  # of the frame
        settled = Signal()
        m.d.comb += [
            again.eq(loop & turns_more),
            # a program without an end ends with its memory
            is_final.eq((end | place.all()) & ~again),
        ]
        m.d.sync += [
            settled.eq(~advance),
            follows.eq(Mux(is_final | phases[:3].any(), 0, Mux(again, job.start, place + 1))),
            following.eq(read.data),
            many_turns.eq(job.repeats1.any()),
            many_runs.eq(job.runs1.any()),
            final.eq(is_final & settled & ~advance),
            last_slot.eq(is_final & settled & ~advance & ~runs_more),
        ]
        run_end, frame_end = Signal(), Signal()
        m.d.comb += [
            run_end.eq(step & ~more & final),
            frame_end.eq(step & ~more & last_slot),
            *(self.ends.eq(run_end), self.frame_last.eq(~more & last_slot)),
            self.final.eq(final & (within | step)),
        ]
        with m.If(advance):
            m.d.sync += [word.eq(following), place.eq(follows)]
            with m.If(final | restart):
                m.d.sync += [turns.eq(job.repeats1), turns_more.eq(many_turns)]
            with m.Elif(again):
                m.d.sync += [turns.eq(turns - 1), turns_more.eq(turns != 1)]
        with m.If(frame_end | restart):
            m.d.sync += [runs.eq(job.runs1), runs_more.eq(many_runs)]
        if most.runs > 1:
            with m.Elif(run_end):
                m.d.sync += [runs.eq(runs - 1), runs_more.eq(runs != 1)]

        # ---- before a slot of few beats: clocks in which nothing is taken
        rest, resting, rests, begins = Signal(most.rest_bits), Signal(), Signal(), Signal(init=1)
        m.d.comb += self.settling.eq(resting & begins)
        resting_next = Mux(step | restart, ~more & rests, resting & (rest != 0))
        m.d.sync += [
            rests.eq(job.rest.any()),
            resting.eq(resting_next),
            begins.eq(Mux(step, ~more & final, begins)),
        ]
        with m.If(step | restart):
            m.d.sync += rest.eq(job.rest - 1)
        with m.Elif(resting):
            m.d.sync += rest.eq(rest - 1)

        # ---- between frames: nothing begins before a job, nor while one is due
        idle, hold, between = Signal(init=1), Signal(init=1), Signal(init=1)
        seen, want, over = Signal(), Signal(), Signal()
        shut = Signal(init=1)
        clear = Signal()
        far = Signal()
        between_next = Mux(step, ~more & last_slot, between)
        m.d.comb += [
            want.eq(self.due & ~seen),
            clear.eq(hold & between & want),
            self.copy.eq(over | clear),
            restart.eq(phases[3]),
            self.between.eq(between),
        ]
        m.d.sync += [
            far.eq(left > 3),
            over.eq(want & last_slot & within & far & ~rests & ~over & ~advance),
            between.eq(between_next),
            phases.eq(Cat(clear | self.again, phases)),
            seen.eq(self.due & (seen | self.copy)),
            idle.eq(idle & ~restart),
            self.began.eq(step & between),
        ]
        # of the next clock, all that a step waits for, so that one register says it
        asks = Signal(init=1)
        hold_next = between_next & asks
        own_next = Mux(advance, following[most.own_bit], word[most.own_bit])
        m.d.sync += [
            asks.eq(idle & ~phases[2] | want | phases[:2].any()),
            hold.eq(hold_next),
            shut.eq(hold_next | resting_next | self.drains & own_next),
        ]
        m.d.comb += self.shut.eq(shut)
        with m.If(self.copy):
            m.d.sync += [job.eq(self.staged), bank.eq(~bank)]
        with m.If(clear):
            m.d.sync += [left.eq(0), more.eq(0)]
        with m.If(over):
            m.d.sync += self.copied.eq(1)
        with m.Elif(frame_end | clear):
            m.d.sync += self.copied.eq(0)
        return m
