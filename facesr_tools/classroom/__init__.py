"""For instructors: student notebooks, solution sheets, lesson plans, and the grading of handed-in notebooks."""

from facesr_tools.classroom.folder import replace_folder
from facesr_tools.classroom.gradebook import check_gradebook, write_gradebook
from facesr_tools.classroom.grading import Graded, Mark, grade
from facesr_tools.classroom.hand_ins import hand_ins
from facesr_tools.classroom.lessons import Exercise, Lesson, read_lesson
from facesr_tools.classroom.student import student_notebook
from facesr_tools.classroom.write import classroom_files

__all__ = [
    "Exercise",
    "Graded",
    "Lesson",
    "Mark",
    "check_gradebook",
    "classroom_files",
    "grade",
    "hand_ins",
    "read_lesson",
    "replace_folder",
    "student_notebook",
    "write_gradebook",
]
