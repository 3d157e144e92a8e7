"""A SLURM of one node on this machine, from Debian's slurm-wlm and munge: own folder, key, ports and logs; ready in a second."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scancel")

CONFIGURATION = """\
ClusterName=facesr
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
KillWait=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=one NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=8000
PartitionName=main Nodes=one Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Start it; the variables for a program that uses it. Afterwards its jobs are cancelled and its programs have ended.

    SLURM_CONF names its configuration, beside which its logs are. Snakemake's jobs drop that variable before they call srun:
    an srun that sets it again comes first on PATH.
    """
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # short, as a socket's path must be
    folder.chmod(0o755)  # munge wants its socket where every user could reach it
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(64))
    key.chmod(0o400)
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(host=socket.gethostname(), folder=folder, ports=_free_ports()))
    variables = {"SLURM_CONF": str(configuration), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    environment = {**os.environ, **variables}
    (folder / "bin").mkdir()
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    programs: list[subprocess.Popen[bytes]] = []
    munge = {"key-file": key, "socket": folder / "munge.socket", "seed-file": folder / "munge.seed"}
    munge |= {"pid-file": folder / "munge.pid", "log-file": folder / "munge.log"}

    def start(*command: str) -> None:
        programs.append(subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def answer(*command: str) -> str:
        return subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    def wait(ready: object, what: str) -> None:
        end = time.monotonic() + 30
        while not ready():  # type: ignore[operator]
            logs = "\n".join(f"{path}:\n{path.read_text()}" for path in folder.glob("*.log"))
            assert time.monotonic() < end, f"{what} within 30 s\n{logs}"
            time.sleep(0.05)

    try:
        start("munged", "--foreground", *(f"--{option}={value}" for option, value in munge.items()))
        wait((folder / "munge.socket").exists, "munged opens its socket")
        start("slurmctld", "-D", "-c", "-f", str(configuration))
        start("slurmd", "-D", "-N", "one", "-f", str(configuration))
        wait(lambda: "idle" in answer("sinfo", "--noheader", "--format=%t"), "the node is idle")
        yield variables
    finally:
        answer("scancel", "--partition=main")
        end = time.monotonic() + 15
        while answer("squeue", "--noheader").strip() and time.monotonic() < end:
            time.sleep(0.1)
        for program in reversed(programs):
            program.terminate()
        for program in programs:
            program.wait(10)
        for process in psutil.process_iter():  # a job's processes are nobody's children
            with suppress(psutil.Error):
                if process.environ().get("SLURM_CONF") == str(configuration) or str(folder) in " ".join(process.cmdline()):
                    process.kill()
        shutil.rmtree(folder)


def _free_ports() -> list[int]:
    with socket.socket() as first, socket.socket() as second:
        for one in (first, second):
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in (first, second)]
