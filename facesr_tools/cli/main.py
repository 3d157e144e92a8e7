"""The `facesr` command. Each subcommand reads its options, calls a part of `facesr_tools`, and prints."""

import shlex
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from facesr_lib import __version__
from facesr_lib.config import code_fingerprint
from facesr_lib.files import checkout_root
from facesr_tools.cli.bench import EPILOG as BENCH_EPILOG
from facesr_tools.cli.bench import bench
from facesr_tools.cli.blind import EPILOG as BLIND_EPILOG
from facesr_tools.cli.blind import blind
from facesr_tools.cli.check import EPILOG as CHECK_EPILOG
from facesr_tools.cli.check import check
from facesr_tools.cli.classroom import CLASSROOM_EPILOG, GRADE_EPILOG, classroom, grade
from facesr_tools.cli.data import app as data_app
from facesr_tools.cli.demo import EPILOG as DEMO_EPILOG
from facesr_tools.cli.demo import demo
from facesr_tools.cli.options import (
    AsJson,
    DataRoot,
    Device,
    FreshSince,
    Notebooks,
    Out,
    PresetName,
    ProfileName,
    Seed,
    Seeds,
    TensorBoard,
    clear_errors,
    make_results_folder,
    print_json,
    results_folder,
    run_settings,
)
from facesr_tools.cli.plan import PLAN_EPILOG, STAGE_EPILOG, plan, stage
from facesr_tools.cli.rehearse import EPILOG as REHEARSE_EPILOG
from facesr_tools.cli.rehearse import rehearse
from facesr_tools.cli.results import EPILOG as RESULTS_EPILOG
from facesr_tools.cli.results import results
from facesr_tools.cli.score import EPILOG as SCORE_EPILOG
from facesr_tools.cli.score import score
from facesr_tools.cli.upscale import EPILOG as UPSCALE_EPILOG
from facesr_tools.cli.upscale import upscale
from facesr_tools.cli.weights import app as weights_app
from facesr_tools.runner.notebooks import Notebook, NotebookError, find_folder, read_notebooks, select
from facesr_tools.seeds import parse_seeds, pooled_folder, seed_folders

app = typer.Typer(
    help="Run, inspect and report the notebooks that teach and reproduce four face super-resolution papers.",
    epilog="Start with: facesr doctor, then facesr run all",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, help="Tasks at once; default: one per core (or GPU), fewer where memory is short."),
]


def _version(asked: bool) -> None:
    if asked:
        print(f"facesr {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


@app.command("list", epilog="Example: facesr list --json")
def list_(as_json: AsJson = False, notebooks: Notebooks = None) -> None:
    """List the notebooks: title, paper, minutes per profile, hardware."""
    with clear_errors(NotebookError):
        found = read_notebooks(find_folder(notebooks))
    if as_json:
        print_json([_facts(notebook) for notebook in found])
        return
    from facesr_tools.cli.tables import make_console, notebooks_table

    make_console().print(notebooks_table(found))


@app.command(
    epilog="Examples:\n\n"
    "facesr run all\n\n"
    "facesr run 10 --profile smoke --jobs 1\n\n"
    "facesr run 00_start_here 10_human_face_gan --device cuda --profile workshop\n\n"
    "facesr run all --seeds 0-4\n\n"
    "facesr run all --data-root ~/faces --out runs-faces"
)
def run(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Notebooks (name or number), or: all.")],
    profile: ProfileName = "quick",
    out: Out = None,
    seed: Seed = 0,
    seeds: Seeds = "",
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    jobs: Jobs = None,
    data_root: DataRoot = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="Run finished notebooks again, and train again.")] = False,
    fresh_since: FreshSince = 0.0,
    notebooks: Notebooks = None,
    tensorboard: TensorBoard = False,
) -> None:
    """Run notebooks and write their results to OUT/PROFILE/NAME/.

    Trains what the notebooks need first, several stages at once (--jobs), each
    with one thread, so that neither jobs nor cores change a result. A stage that
    fails is left to its notebook, which shows why.

    Skips a notebook that is done (same notebook, options and library code), so
    the same command resumes an interrupted run. Ctrl-C lets trainings finish
    their step and save, and prints the command that resumes; a second one kills.
    Two runs may share a folder: one waits for what the other is making.

    --seeds trains and runs each seed, be it one, in OUT/seed-S/, all in one pool of jobs, and
    pools every seed that lies there in OUT/pooled/PROFILE/: report.html with verdicts
    over all seeds, tables as mean ± standard deviation. Lessons run for the first
    seed only. OUT/pooled is a folder of results as any other: facesr site --out
    OUT/pooled shows it.

    --tensorboard (or FACESR_TENSORBOARD=1, in a notebook too) writes each training's
    loss terms, learning rates, validation scores and samples beside its log; then:
    tensorboard --logdir OUT/stages

    Each folder gets the executed notebook.ipynb (notebook.failed.ipynb if it
    failed) and log.txt. Exit code: 0 if every notebook ran, 1 if one failed,
    2 for a wrong name or option, 130 after Ctrl-C.
    """
    with clear_errors(NotebookError, ValueError):
        chosen = select(read_notebooks(find_folder(notebooks)), names)
        listed = parse_seeds(seeds)
        settings = run_settings(profile, out, seed, device, data_root, time.time() if fresh else fresh_since)
        make_results_folder(settings)
    from facesr_tools.cli.tables import make_console
    from facesr_tools.runner.run import run_notebooks

    resume = _resume_command(names, settings, notebooks, jobs, seeds, tensorboard)
    raise typer.Exit(run_notebooks(chosen, settings, make_console(), code_fingerprint(), resume, jobs, listed).exit_code)


@app.command(epilog="Example: facesr report --profile smoke")
def report(profile: ProfileName = "quick", out: Out = None) -> None:
    """Collect the results of a profile into one HTML page and print its path.

    Where OUT holds runs of several seeds (OUT/seed-S), their results are pooled anew
    in OUT/pooled, which gets a page, too.
    """
    found = results_folder(out)
    with clear_errors(NotebookError):
        seeds = seed_folders(found, profile)
        if not (found / profile).is_dir() and not seeds:
            raise NotebookError(f"no results in {found / profile}; first run: facesr run all --profile {profile}")
    if (found / profile).is_dir():
        from facesr_tools.report import build_report
        from facesr_tools.site.export import export_notebooks

        export_notebooks(found / profile)
        print(build_report(found, profile))
    if seeds:
        from facesr_tools.pool import pooled_report

        for remark in pooled_report(found, profile):
            typer.echo(remark, err=True)
        print(pooled_folder(found) / profile / "report.html")


@app.command(epilog="Examples:\n\nfacesr site\n\nfacesr site --profile workshop --out ~/runs")
def site(profile: ProfileName = "quick", out: Out = None, notebooks: Notebooks = None) -> None:
    """Build a web site of what a profile's notebooks showed and print its path.

    Needs the extra "site" (Sphinx), which make site installs. Executes nothing: a
    notebook that was not run gets its page without results. Replaces
    OUT/PROFILE/site/ with plain files, which open without network or server.

    Exit code: 0, or 2 if there is nothing to show or a program is missing.
    """
    with clear_errors(NotebookError):
        found = read_notebooks(find_folder(notebooks))
        from facesr_tools.cli.tables import make_console
        from facesr_tools.site.build import build_site

        console = make_console()

        def say(line: str) -> None:
            console.print(line, markup=False, soft_wrap=True)

        print(build_site(found, results_folder(out), profile, root=checkout_root(), say=say))


@app.command(epilog="Example: facesr models --preset quick --json")
def models(preset: PresetName = "paper", as_json: AsJson = False) -> None:
    """List every network of every paper: parameters, FLOPs, input and output size.

    FLOPs are for one image, forward only; a multiply-add counts as 2.
    """
    from facesr_tools.cli.tables import make_console, networks_table
    from facesr_tools.models import describe_papers

    found = describe_papers(preset)
    if as_json:
        print_json([asdict(facts) for facts in found])
    else:
        make_console().print(networks_table(found, preset))


@app.command(epilog="Examples:\n\nfacesr doctor\n\nfacesr doctor --data-root ~/faces --online --json")
def doctor(
    out: Out = None,
    data_root: DataRoot = "",
    online: Annotated[bool, typer.Option("--online", help="Also ask whether missing weights can be downloaded.")] = False,
    as_json: AsJson = False,
) -> None:
    """Examine this machine: versions, device, memory, disk, data, weights, kernel.

    Ends with a verdict per profile. Exit code: 0 if quick can run, else 1.
    """
    from facesr_tools.cli.tables import make_console, print_diagnosis
    from facesr_tools.doctor import examine

    found = examine(results_folder(out), data_root, online)
    if as_json:
        profiles = {profile: {"ok": not missing, "missing": missing} for profile, missing in found.missing.items()}
        print_json({"checks": [asdict(check) for check in found.checks], "profiles": profiles})
    else:
        print_diagnosis(found, make_console())
    raise typer.Exit(1 if found.missing["quick"] else 0)


def _facts(notebook: Notebook) -> dict[str, Any]:
    facts = asdict(notebook)
    return {"name": notebook.name, **facts, "path": str(notebook.path)}


def _resume_command(
    names: list[str], settings: Any, notebooks: Path | None, jobs: int | None, seeds: str, tensorboard: bool
) -> str:
    command = ["facesr", "run", *names, "--profile", settings.profile, "--out", str(settings.out)]
    command += ["--seeds", seeds] if seeds else ["--seed", str(settings.seed)]
    command += ["--device", settings.device]
    command += ["--jobs", str(jobs)] if jobs else []
    command += ["--data-root", settings.data_root] if settings.data_root else []
    command += ["--notebooks", str(notebooks.resolve())] if notebooks else []
    command += ["--fresh-since", repr(settings.fresh_since)] if settings.fresh_since else []
    command += ["--tensorboard"] if tensorboard else []
    return shlex.join(command)


app.command(epilog=PLAN_EPILOG)(plan)
app.command(epilog=STAGE_EPILOG)(stage)
app.command(epilog=RESULTS_EPILOG)(results)
app.command(epilog=REHEARSE_EPILOG)(rehearse)
app.command(epilog=BENCH_EPILOG)(bench)
app.add_typer(data_app, name="data")
app.command(epilog=UPSCALE_EPILOG)(upscale)
app.command(epilog=DEMO_EPILOG)(demo)
app.command(epilog=SCORE_EPILOG)(score)
app.command(epilog=CHECK_EPILOG)(check)
app.command(epilog=BLIND_EPILOG)(blind)
app.command(epilog=CLASSROOM_EPILOG)(classroom)
app.command(epilog=GRADE_EPILOG)(grade)
app.add_typer(weights_app, name="weights")
