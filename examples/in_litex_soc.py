"""A RISC-V computer in LiteX whose processor hands frames to a pooling core by DMA.

In a folder with pool2.v it writes soc.v, the images of its memories with the program of soc/main.c
in them, and sources.txt, which lists what is to be compiled. soc/README.md says how to simulate it.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import litex
import litex.soc.integration.export as export
from in_litex import Pool2
from litex.build.generic_platform import Pins
from litex.build.sim import SimPlatform
from litex.gen import LiteXModule
from litex.soc.cores.dma import WishboneDMAReader, WishboneDMAWriter
from litex.soc.integration.common import get_mem_data
from litex.soc.integration.soc_core import SoCCore
from litex.soc.interconnect import stream
from litex.soc.interconnect.csr import CSRStorage
from litex.soc.interconnect.wishbone import Interface
from migen import ClockDomain

HERE = Path(__file__).parent / "soc"
LITEX = Path(str(litex.__file__)).parent
IO = [("clk", 0, Pins(1)), ("rst", 0, Pins(1)), ("verdict", 0, Pins(2))]


class Pool(LiteXModule):
    """The core between two DMA engines: one reads a frame, the other writes what is left of it."""

    def __init__(self, platform):
        # "big" leaves a word's bytes where they are: the lowest one comes first
        how = {"endianness": "big", "with_csr": True}
        self.reader = reader = WishboneDMAReader(Interface(data_width=32), **how)
        self.writer = writer = WishboneDMAWriter(Interface(data_width=32), **how)
        self.narrow = stream.Converter(32, 8)
        self.core = Pool2(platform)
        self.wide = stream.Converter(8, 32)
        self.pipeline = stream.Pipeline(reader, self.narrow, self.core, self.wide, writer)


class Computer(SoCCore):
    """A PicoRV32 with a ROM, a RAM and the core; what its program writes to `verdict` is a pin."""

    def __init__(self):
        platform: Any = SimPlatform("SIM", IO)
        self.cd_sys = ClockDomain("sys")
        clock, reset = platform.request("clk"), platform.request("rst")
        self.comb += [  # pyright: ignore[reportOperatorIssue]  # Migen has no types
            self.cd_sys.clk.eq(clock),
            self.cd_sys.rst.eq(reset),  # pyright: ignore[reportOptionalMemberAccess]
        ]
        super().__init__(
            platform,
            clk_freq=int(50e6),
            cpu_type="picorv32",
            integrated_rom_size=0x2000,
            integrated_sram_size=0x2000,
            with_uart=False,
            with_timer=False,
            ident="",
        )
        self.pool = Pool(platform)
        self.bus.add_master("pool_reader", self.pool.reader.bus)
        self.bus.add_master("pool_writer", self.pool.writer.bus)
        self.verdict = CSRStorage(2)
        self.comb += platform.request("verdict").eq(self.verdict.storage)


def compiled(computer: Computer, folder: Path, defines: list[str]) -> Path:
    """Compile the program for the computer's registers and memories, and return its image."""
    texts = {
        "generated/soc.h": export.get_soc_header(computer.constants),
        "generated/csr.h": export.get_csr_header(
            regions=computer.csr_regions,
            constants=computer.constants,
            csr_base=computer.mem_regions["csr"].origin,
            with_access_functions=True,
        ),
        "regions.ld": export.get_linker_regions(computer.mem_regions),
    }
    (folder / "generated").mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    zig = [sys.executable, "-m", "ziglang"]
    target = ["-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m"]
    cpu = LITEX / "soc/cores/cpu" / str(computer.cpu.name)
    includes = [".", str(LITEX / "soc/software/include"), str(cpu)]
    flags = ["-Os", "-ffreestanding", "-nostdlib", "-fno-sanitize=all", *defines]
    flags += [f"-I{each}" for each in includes]
    sources = [str(HERE / "start.S"), str(HERE / "main.c")]
    link = [f"-Wl,-T,{HERE / 'link.ld'}", "-Wl,--build-id=none", "-o", "program.elf"]
    subprocess.run([*zig, "cc", *target, *flags, *sources, *link], cwd=folder, check=True)
    subprocess.run(
        [*zig, "objcopy", "-O", "binary", "program.elf", "program.bin"], cwd=folder, check=True
    )
    return folder / "program.bin"


def main() -> None:
    """Write everything that is simulated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-D", dest="defines", action="append", default=[], help="for the program")
    options = parser.parse_args()
    folder = Path.cwd()
    computer = Computer()
    computer.finalize()
    program = compiled(computer, folder, [f"-D{each}" for each in options.defines])
    computer.init_rom("rom", get_mem_data(str(program), data_width=32, endianness="little"))
    computer.platform.get_verilog(computer, name="soc").write(str(folder / "soc.v"))
    sources = [str(source) for source, *_ in computer.platform.sources]
    (folder / "sources.txt").write_text("\n".join(["soc.v", *sources]) + "\n")


if __name__ == "__main__":
    main()
