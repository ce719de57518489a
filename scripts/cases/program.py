"""Runs the program in a temporary folder and counts checks."""

import csv
import os
import subprocess
from dataclasses import dataclass


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def text(self):
        return self.out + self.err


class Program:
    def __init__(self, path, folder, kind):
        self.path, self.folder, self.kind = path, folder, kind
        self.checked = self.failed = 0

    def run(self, *words, cwd=None):
        env = dict(os.environ, ROENTGEN_WEIGHTS=str(self.folder / "weights"))
        words = [str(word) for word in words]
        done = subprocess.run([self.path, *words], cwd=cwd or self.folder, env=env, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
        answer = Answer(done.returncode, done.stdout, done.stderr)
        if "panicked" in answer.text or "fault in roentgen" in answer.text or done.returncode > 2:
            self.expect(f"no panic of {' '.join(words)}", False, answer)
        return answer

    def ok(self, *words):
        answer = self.run(*words)
        self.expect(" ".join(map(str, words)), answer.code == 0, answer)
        return answer

    def refused(self, what, answer, *parts):
        """The program must end with 1 and say each of these."""
        said = all(part in answer.text for part in parts)
        self.expect(f"{what} is refused with {parts}", answer.code == 1 and said, answer)

    def expect(self, what, is_right, found=""):
        self.checked += 1
        if not is_right:
            self.failed += 1
            found = f"{found.code} {found.out[-600:]}{found.err[-900:]}" if isinstance(found, Answer) else found
            print(f"{self.kind}: FAILED: {what}\n    {found}")

    def rows(self, path):
        with open(self.folder / path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def films(self, count=40, size=64):
        """Draws films and prepares them at 32 px."""
        self.ok("phantom", "--images", count, "--size", size, "--out", "films")
        self.ok("prepare", "films", "--out", "prepared", "--size", 32)

    def experiment(self, name, rest=""):
        text = ('[data]\nprepared = "prepared"\nsplit = "by-patient"\n[model]\nwidth = 0.0625\n'
                f"[train]\nepochs = 1\nbatch_size = 16\n{rest}")
        (self.folder / name).write_text(text)
