"""For instructors: student notebooks, solution sheets, lesson plans, and the grading of handed-in notebooks."""

from facesr_tools.classroom.folder import replace_folder
from facesr_tools.classroom.grading import Graded, Mark, grade
from facesr_tools.classroom.lessons import Exercise, Lesson, read_lesson
from facesr_tools.classroom.student import student_notebook
from facesr_tools.classroom.write import classroom_files

__all__ = [
    "Exercise",
    "Graded",
    "Lesson",
    "Mark",
    "classroom_files",
    "grade",
    "read_lesson",
    "replace_folder",
    "student_notebook",
]
