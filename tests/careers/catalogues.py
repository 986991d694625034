"""Catalogues from plain words, without a database."""

from careers.catalogue import Catalogue, LineRow, RoleRow, SkillRow


def must(*skills, **values):
    return {"importance": "must", "skills": skills, **values}


def nice(*skills, **values):
    return {"importance": "nice", "skills": skills, **values}


def core(*skills, **values):
    return {"importance": "core", "skills": skills, **values}


class Words:
    """A catalogue of skills, each with its broader one or None, merged ones with their target, roles and paths.

    A role is a list of lines, or such a list and the name of its path.
    """

    def __init__(self, skills, roles=(), paths=(), merged=()):
        skills, merged, roles, paths = dict(skills), dict(merged), dict(roles), dict(paths)
        self.keys = {name: pk for pk, name in enumerate([*skills, *merged], start=1)}
        lines = []
        for place, role in enumerate(roles.values(), start=1):
            lines += [(place, None, line) for line in (role[0] if isinstance(role, tuple) else role)]
        for place, path in enumerate(paths.values(), start=1):
            lines += [(None, place, line) for line in path]
        path_keys = {name: pk for pk, name in enumerate(paths, start=1)}
        self.catalogue = Catalogue.of(
            [
                SkillRow(
                    pk, _slug(name), name, "data", self.keys.get(skills.get(name)), self.keys.get(merged.get(name))
                )
                for name, pk in self.keys.items()
            ],
            [
                RoleRow(place, _slug(name), name, place, *_path_of(role, path_keys))
                for place, (name, role) in enumerate(roles.items(), start=1)
            ],
            [self._line(pk, *line) for pk, line in enumerate(lines, start=1)],
        )

    def _line(self, pk, role, path, line):
        label = line.get("label") or "/".join(line["skills"])
        skills = tuple(self.keys[name] for name in line["skills"])
        return LineRow(pk, role, path, line["importance"], label, "", line.get("needs", "any"), skills)

    def pks(self, *names):
        return [self.keys[name] for name in names]

    def names(self, pks):
        """The names of these skills, sorted."""
        return sorted(self.catalogue.skills[pk].name for pk in pks)

    def role(self, name):
        return next(role for role in self.catalogue.roles.values() if role.name == name)


def _slug(name):
    return name.lower().replace(" ", "-")


def _path_of(role, path_keys):
    if not isinstance(role, tuple):
        return ()
    return path_keys[role[1]], _slug(role[1]), role[1]
