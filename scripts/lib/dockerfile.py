"""Reads the last stage of a Dockerfile, so that what makes the image without an engine takes its
settings from there. It knows the instructions that serin's Dockerfile uses and refuses all others: an
instruction that was passed over would make another image.
"""
import json
import re
import shlex


class DockerfileError(Exception):
    """What is wrong, with the file and the line."""


class Stage:
    """The last stage: its copies [(stage, source, target)] and its image config."""

    def __init__(self):
        self.copies = []
        self.config = {}


def read_last_stage(path, arguments=None):
    """Reads the last stage.

    arguments: values of ARGs, as `--build-arg` gives them.
    Raises DockerfileError where it has an instruction that is not known here.
    """
    with open(path, encoding="utf-8") as f:
        instructions = list(split_instructions(f.read()))
    starts = [i for i, (_, name, _) in enumerate(instructions) if name == "FROM"]
    if not starts:
        raise DockerfileError(f"{path} has no FROM")
    line, _, base = instructions[starts[-1]]
    if base.split()[0] != "scratch":
        raise DockerfileError(f"{path}:{line}: the last stage must begin FROM scratch, it says {base}")
    stage, values = Stage(), {}
    for line, name, rest in instructions[starts[-1] + 1:]:
        try:
            apply(stage, name, rest, values, arguments or {})
        except (ValueError, KeyError) as problem:
            raise DockerfileError(f"{path}:{line}: {name} {rest}: {problem}") from problem
    unknown = sorted(set(arguments or {}) - set(values))
    if unknown:
        raise DockerfileError(f"{path} has no ARG {', '.join(unknown)} in its last stage")
    return stage


def split_instructions(text):
    """Yields (line, NAME, rest): comments are left out, continued lines are joined."""
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        start = start if pending else number
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip() + " "
            continue
        name, _, rest = pending.partition(" ")
        yield start, name.upper(), rest.strip()
        pending = ""
    if pending:
        raise DockerfileError(f"line {start}: it goes on after the end of the file")


def apply(stage, name, rest, values, arguments):
    """Takes one instruction into the stage; ValueError says why it cannot."""
    config = stage.config
    expanded = re.sub(r"\$\{?(\w+)\}?", lambda match: values[match[1]], rest)
    if name == "ARG":
        key, _, default = rest.partition("=")
        values[key] = arguments.get(key, (shlex.split(default) or [""])[0])
    elif name == "COPY":
        source = re.fullmatch(r"--from=(\w+) (\S+) (\S+)", expanded)
        if not source:
            raise ValueError("only COPY --from=STAGE SOURCE TARGET is known here")
        stage.copies.append(source.groups())
    elif name == "LABEL":
        config.setdefault("Labels", {}).update(pairs(expanded))
    elif name == "ENV":
        config.setdefault("Env", []).extend(f"{key}={value}" for key, value in pairs(expanded))
    elif name == "EXPOSE":
        config["ExposedPorts"] = {f"{int(port)}/tcp": {} for port in expanded.split()}
    elif name == "USER":
        config["User"] = expanded
    elif name == "WORKDIR":
        config["WorkingDir"] = expanded
    elif name == "STOPSIGNAL":
        config["StopSignal"] = expanded
    elif name in ("ENTRYPOINT", "CMD"):
        # json.loads raises a ValueError for the form that needs a shell.
        config[{"ENTRYPOINT": "Entrypoint", "CMD": "Cmd"}[name]] = json.loads(expanded)
    else:
        raise ValueError("this instruction is not known to scripts/image")


def pairs(text):
    """KEY=VALUE KEY="VALUE WITH SPACES" as [(key, value)]."""
    found = [word.partition("=") for word in shlex.split(text)]
    if any(not equals for _, equals, _ in found):
        raise ValueError("only KEY=VALUE is known here")
    return [(key, value) for key, _, value in found]
