"""Banks: orders go out, answers come back. See `interface` for what every bank gateway promises.

``files`` speaks ISO 20022 through folders (pain.001 out, pain.002 and camt.054 in); ``demonstration`` answers by
itself.
The message classes are heavy; they load with the first message, not with this package.
"""

from lipei.gateways.bank.book import BankBusy
from lipei.gateways.bank.demonstration import DemonstrationGateway
from lipei.gateways.bank.files import FilesGateway
from lipei.gateways.bank.interface import Account, BankAnswer, BankGateway, BankOrder, FileRefusal, Submission
from lipei.gateways.bank.reasons import PAYEE_CHANGED, reason_key, remedy

__all__ = [
    "PAYEE_CHANGED",
    "Account",
    "BankAnswer",
    "BankBusy",
    "BankGateway",
    "BankOrder",
    "DemonstrationGateway",
    "FileRefusal",
    "FilesGateway",
    "Submission",
    "reason_key",
    "remedy",
]
