"""Files that come in: looked at before they are believed, kept under their digest, sealed at rest.

`inspecting.inspect` says what a file really is, `media.MediaStore` keeps it, `partials.PartialUploads` receives it
piece by piece over a bad line. Nothing here changes a file: evidence stays as it came.
"""
