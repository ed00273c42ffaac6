// Every file of this target, and every file that imports it, compares text by its bytes: none can forget to.
@_exported import Text
