"""What a metric comes to: now in `suite.journal.documents`."""

from suite.journal.documents import AcrossResult as AcrossResult
from suite.journal.documents import Direction as Direction
from suite.journal.documents import MetricResult as MetricResult
