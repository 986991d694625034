"""Data files on careers for programs; see `articles.downloads`."""

from articles import open_data as ground
from articles.downloads import CSV, JSON, ZIP, File, data_file
from articles.open_data import last_change, records_of

from . import data_package, open_data
from .models import Market


def roles_csv_file(as_of: str) -> File:
    """Roles have no history: they are as they are described now."""
    content = open_data.ROLES.csv(open_data.all_roles())
    return File("roles.csv", CSV, content, last_change([], records=open_data.ROLE_RECORDS))


def roles_json_file(as_of: str) -> File:
    ranges = open_data.all_salary_ranges()
    salaries = records_of(ranges, as_of)
    content = open_data.roles_json(open_data.all_roles(), Market.objects.all(), salaries, as_of)
    changed_at = last_change(ranges, records=[*open_data.ROLE_RECORDS, "articles.source"])
    return File("roles.json", JSON, content, changed_at)


def salaries_file(as_of: str) -> File:
    ranges = open_data.all_salary_ranges()
    content = open_data.SALARIES.csv(records_of(ranges, as_of))
    records = ["careers.role", "careers.market", "articles.source"]
    return File("salaries.csv", CSV, content, last_change(ranges, records=records))


def package_file(as_of: str) -> File:
    ranges, values = open_data.all_salary_ranges(), ground.all_statistic_values()
    data = data_package.Data(as_of, roles=[], markets=[], ranges=ranges, values=values, sources=[])
    content = open_data.as_json(data_package.description(data))
    return File("datapackage.json", JSON, content, data.changed_at)


def zip_file(as_of: str) -> File:
    data = data_package.Data.read(as_of)
    return File("veltrix-data.zip", ZIP, data_package.package_zip(data), data.changed_at)


roles_csv = data_file(roles_csv_file)
roles_json = data_file(roles_json_file)
salaries_csv = data_file(salaries_file)
package_json = data_file(package_file)
package_zip = data_file(zip_file)
