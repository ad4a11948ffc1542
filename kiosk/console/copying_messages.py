"""Sentences about forms of other programs that details are copied for."""

COPIED = "{token} is copied for {form}. Put the cursor into the first field and paste."
DONE = {
    "save": "Saved. Desks offer it when their page is loaded again.",
    "remove": "Removed.",
    "reset": "The forms are as the program brings them.",
}
FIELDS = {
    "name": "The form needs a name of 1 to 40 characters.",
    "fields": "Name 1 to 40 fields of at most 60 characters, separated by commas.",
    "unknown": "These are no fields: {fields}. The list of fields stands below; a fixed text begins with =.",
    "date": "Choose how the date is written.",
    "gender": "Choose how the gender is written.",
    "separator": "Choose what stands between two fields.",
    "twice": "Another form has this name.",
    "full": "There are as many forms as the page holds. Remove one first.",
}
"""What is wrong with a form that details are copied for."""
