"""Files of questions and tools: read, named, stored."""

from .attachment import Attachment
from .stores import AttachmentStore, FolderStore, FsspecStore

__all__ = ["Attachment", "AttachmentStore", "FolderStore", "FsspecStore"]
