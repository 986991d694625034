from .blocks import CareerPathReference, ComparisonTableReference, RoleReference, RoleTable, SkillList
from .roles import CareerPath, ComparisonTable, ComparisonTableRow, Market, Role, RoleCode, RoleRelation
from .salaries import SalaryRange
from .skills import Requirement, Skill, SkillAlias

__all__ = [
    "CareerPath",
    "CareerPathReference",
    "ComparisonTable",
    "ComparisonTableReference",
    "ComparisonTableRow",
    "Market",
    "Requirement",
    "Role",
    "RoleCode",
    "RoleReference",
    "RoleRelation",
    "RoleTable",
    "SalaryRange",
    "Skill",
    "SkillAlias",
    "SkillList",
]
