"""A program in memory, played beat by beat, and replaced by another one between two frames."""

from functools import partial

from amaranth.hdl import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from .maxima import NEAR, StageMaxima
from .registers import stage_registers


def told(most: StageMaxima) -> data.StructLayout:
    """Return what a player is told beside its program: the fields of its registers."""
    fields = [field for register in stage_registers(most) for field in register.fields]
    return data.StructLayout({field.name: field.bits for field in fields})


class Player(wiring.Component):
    """Play the program of the job at work, a word per slot, and take the next job over.

    The program stands in one of two banks of a memory; into the other one the next job's is
    written. A slot takes ``most.slot`` clocks or more, so what follows a word is worked out behind
    it, in a few clocks. A job is taken over in the last slot of the frame before, so that no clock
    is lost; where it comes too late for that, between two frames, in eight clocks.

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
    many : Out(1)
        Whether a slot of the job in `job` has several steps; a register.
    idle : Out(1)
        Whether no job has begun since a reset; a register.
    between : Out(1)
        Whether no frame has begun that has not ended; a register.
    drains : In(1)
        Whether there will be something left of the run before in the next clock, unless a run ends
        with this one.
    keeps : In(1)
        The same where a step is taken: it does not ask whether there is room for what leaves.
    leaves : In(1)
        Whether there will be something left of the run at work.
    shut : Out(1)
        Whether no step may be taken; a register.
    settling : Out(1)
        Whether a run waits for its first slot, since slots of its job are short of beats.
    final : Out(1)
        Whether the slot was its run's last a clock ago, and had begun; a register.
    ends : Out(1)
        Whether a run ends with a step in this clock: all its inputs are in.
    job : Out
        What the job at work is told. From `copied` on it is that of the next frame.
    copied : Out(1)
        Whether the next frame's job was in `job` already, a clock ago as `final`.
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
    many: Signal
    idle: Signal
    between: Signal
    drains: Signal
    keeps: Signal
    leaves: Signal
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
                "many": Out(1),
                "idle": Out(1),
                "between": Out(1),
                "drains": In(1),
                "keeps": In(1),
                "leaves": In(1),
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
        most = self._most
        # what a job brings needs no reset, as no step is taken before one has begun, and the job
        # itself outlasts it: it may go on
        data, bits = partial(Signal, reset_less=True), most.m_bits
        step, word, job = self.step, data(most.word_bits), data(told(most))
        phases = Signal(3)  # of a take-over between frames
        restart = phases[-1]  # a job begins that was taken over so
        m.d.comb += [self.word.eq(word), self.job.eq(job)]

        # ---- the slot: which of its steps is to come, and whether more do after it
        at, m1, more, within, many = data(bits), data(bits), Signal(), Signal(), data()
        advance = Signal()
        to_go = at - m1  # negative; 1 less than the steps after the one behind this
        m.d.comb += [self.slot_last.eq(~more), advance.eq((step | restart) & ~more)]
        with m.If(step):
            m.d.sync += within.eq(more)
        with m.If(step | restart):
            m.d.sync += more.eq(Mux(more, to_go[-1], many))
        with m.If(~more):  # nobody looks at it in a slot's last step
            m.d.sync += at.eq(1)
        with m.Elif(step):
            m.d.sync += at.eq(at + 1)

        # ---- the program: the place behind the word, what follows it, and that one's word
        bank, onward, follows = data(), data(most.place_bits + 1), data(most.place_bits)
        following = data(most.word_bits)
        hold = Signal(init=1)  # between frames, before a job begins
        for number in range(2):
            m.submodules[f"program_{number}"] = program = memory.Memory(
                shape=unsigned(most.word_bits), depth=most.words, init=[]
            )
            write, read = program.write_port(), program.read_port(domain="comb")
            found = data(most.word_bits, name=f"found_{number}")
            m.d.comb += [
                write.en.eq(self.load & (bank != number)),
                *(write.addr.eq(self.load_at), write.data.eq(self.load_word)),
                read.addr.eq(follows),
            ]
            m.d.sync += found.eq(read.data)
            with m.If(bank == number):
                m.d.sync += following.eq(found)
        # of the run's turns, and of the frame's runs, whether more come: counted a clock after the
        # slot's end. A slot is long, so that all of it is steady when it is asked for.
        turn, turns, turns_more = data(most.turn_bits), data(most.turn_bits), data()
        run, runs, runs_more = data(most.run_bits), data(most.run_bits), data()
        m.d.sync += [turns_more.eq((turn - turns)[-1]), runs_more.eq((run - runs)[-1])]
        loop, end = word[most.loop_bit], word[most.loop_bit + 1]
        again, final, is_final = data(), data(), data()
        last_slot = data()  # of the frame
        advanced, settled = Signal(), data(3)
        run_ended, frame_ended, repeated = data(), data(), data()
        m.d.sync += [
            again.eq(loop & turns_more),
            # a program without an end ends with its memory
            is_final.eq((end | onward[-1]) & ~(loop & turns_more)),
            *(advanced.eq(advance), settled.eq(Cat(~advance, settled) & (~advance).replicate(3))),
            *(run_ended.eq(final | restart), frame_ended.eq(last_slot | restart)),
            repeated.eq(again),
            follows.eq(Mux(is_final | hold, 0, Mux(again, job.start, onward))),
            final.eq(is_final & settled[-1] & ~advance),
            last_slot.eq(is_final & settled[-1] & ~advance & ~runs_more),
        ]
        with m.If(advance):
            m.d.sync += [word.eq(following), onward.eq(follows + 1), m1.eq(job.m1)]
        with m.If(advanced & run_ended):
            m.d.sync += [turn.eq(0), turns.eq(job.repeats1)]
        with m.Elif(advanced & repeated):
            m.d.sync += turn.eq(turn + 1)
        with m.If(advanced & frame_ended):
            m.d.sync += [run.eq(0), runs.eq(job.runs1)]
        with m.Elif(advanced & run_ended):
            m.d.sync += run.eq(run + 1)
        m.d.comb += self.ends.eq(step & ~more & final)
        m.d.comb += self.frame_last.eq(~more & last_slot)
        m.d.sync += self.final.eq(final & (within | step))

        # ---- before a slot of few beats: clocks in which nothing is taken
        rest, resting, rests_on = Signal(most.rest_bits), Signal(), Signal()
        begins = Signal(init=1)
        # of the slot to come whether it rests, and more than once and twice; what follows from a
        # slot's end does so a clock later, as whether there is a step is known late
        rests, rests_long, rests_longer = data(), data(), data()
        was_resting, still_rests = Signal(), Signal()
        # a job that begins between frames cuts a rest short, and what is left may not be in the
        # store yet
        begun, settles = Signal(most.slot - NEAR), Signal()
        m.d.comb += [
            resting.eq(Mux(advanced, rests, was_resting)),
            rests_on.eq(Mux(advanced, rests_long, still_rests)),
            self.settling.eq(settles & begins),
        ]
        m.d.sync += [
            begun.eq(Cat(restart, begun)),
            settles.eq(Mux(advance, rests, rests_on) | restart | begun.any()),
            *(was_resting.eq(rests_on), still_rests.eq(Mux(advanced, rests_longer, rest > 2))),
            rest.eq(Mux(advanced, Mux(rests, job.rest - 1, 0), rest - resting)),
        ]
        with m.If(step):
            m.d.sync += begins.eq(~more & final)

        # ---- between frames: nothing begins before a job, nor while one is due
        idle, between = Signal(init=1), Signal(init=1)
        seen, want, over = Signal(), Signal(), Signal()
        clear = Signal()
        # five steps or more after the one of two clocks ago: some are to go, and no three or fewer
        groups = [to_go[:2].any(), *(to_go[k : k + 4].all() for k in range(2, bits + 1, 4))]
        far, some, few = data(), data(), data(len(groups))
        m.d.comb += [
            clear.eq(hold & between & want),
            self.copy.eq(over | clear),
            self.between.eq(between),
            *(self.idle.eq(idle), self.many.eq(many)),
        ]
        m.d.sync += [
            *(some.eq(more & to_go[-1]), far.eq(some & ~few.all())),
            few.eq(Cat(groups)),
            over.eq(want & last_slot & within & far & ~rests & ~over),
            phases.eq(Cat(clear | self.again, phases)),
            *(want.eq(self.due & ~(seen | self.copy)), seen.eq(self.due & (seen | self.copy))),
            idle.eq(idle & ~restart),
            self.began.eq(step & between),
        ]
        with m.If(step):
            m.d.sync += between.eq(~more & last_slot)
        # of the next clock, all that a step waits for, so that one register says it: once for a
        # step now, which is never one whose window waits, and once for none
        asks, shut, leaves = Signal(init=1), Signal(init=1), data()
        m.d.comb += self.shut.eq(shut)
        m.d.sync += [
            asks.eq(idle & ~restart | want | phases[:2].any()),
            leaves.eq(is_final & settled[-1] & ~advance & self.leaves),
        ]
        after = last_slot & asks | rests | following[most.own_bit] & (leaves | self.keeps)
        still = between & asks | rests_on | word[most.own_bit] & self.drains
        m.d.sync += [
            hold.eq(asks & Mux(step, ~more & last_slot, between)),
            shut.eq(Mux(step, ~more & after, still)),
        ]
        with m.If(self.copy):
            m.d.sync += [job.eq(self.staged), bank.eq(~bank)]
        # what follows from the job is there a clock later, in time for its first slot
        m.d.sync += [
            *(rests.eq(job.rest > 0), rests_long.eq(job.rest > 1), rests_longer.eq(job.rest > 2)),
            # a slot of one beat rests in all of its other clocks
            many.eq(job.rest != most.slot - 1),
        ]
        with m.If(clear):
            m.d.sync += more.eq(0)
        with m.If(over):
            m.d.sync += self.copied.eq(1)
        with m.Elif(between | clear):  # a clock later, as is `final`
            m.d.sync += self.copied.eq(0)
        return m
