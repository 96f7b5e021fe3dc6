"""Cast: who the leads of `leadloop demo` are, and the script of what happens to them, act by act.

Read it from the top like a play. Each act begins on its day and hour, its docstring is its caption, and
leadloop comes to rest before the next one. The script says only what people do; what becomes of the leads is
leadloop's doing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from connector.demo.people import Character, People

SALES = ("sam@sales.example", "kim@sales.example")

CAST = (
    Character("Ann", "ann@acme.example", "Ann", "Lee", "VP Sales", "Acme", "United States"),
    Character("Bruno", "bruno@casa.example", "Bruno", "Costa", "Sales Manager", "Casa Móvel", "Brazil", 450),
    Character("Chen", "chen@lotus.example", "Chen", "Wei", "Director of IT", "Lotus Ltd", "United Kingdom"),
    Character("Dana", "dana.novak@gmail.com", "Dana", "Novak", "Student", "University", "Germany"),
    Character("Emre", "emre@rival.example", "Emre", "Yilmaz", "Head of Product", "Rival Inc", "Germany"),
    # A right-to-left first name, a last name of 300 characters, HTML and an emoji in the company's.
    Character("Fatima", "fatima@nour.example", "فاطمة", "Al-Zahra " * 29 + "Al-Nouriya", "Founder",
              "<b>Nour</b> & Söhne 🦋", "France"),
    Character("Gina", "gina@rossi.example", "Gina", "Rossi", "Head of Sales", "Rossi S.p.A.", "Italy", 80),
    Character("Henry", "henry@fjord.example", "Henry", "Olsen", "Head of Support", "Fjord AS", "Norway", 300),
    Character("Ines", "ines@porto.example", "Ines", "Duarte", "Head of Sales", "Porto Lda", "Portugal", 30),
    Character("Jonas", "jonas@berg.example", "Jonas", "Berg", "Engineer", "Berg & Sohn", "Germany", 60),
    Character("Kira", "kira@patel.example", "Kira", "Patel", "Sales Manager", "Patel Ltd", "Ireland", 25),
    Character("Liam", "liam@walsh.example", "Liam", "Walsh", "Engineer", "Walsh Ltd", "Ireland"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What happens on a day (0 is the first Monday) at an hour, UTC."""

    day: int
    hour: float
    play: Callable[[People], None]

    @property
    def caption(self) -> str:
        """One sentence for the audience."""
        return " ".join((self.play.__doc__ or "").split())


def forms(they: People) -> None:
    """Six people fill in forms on the website."""
    they.fills_in("Ann", "Newsletter")
    they.fills_in("Chen", "Webinar")
    they.fills_in("Emre", "Newsletter")
    they.fills_in("Fatima", "Newsletter")
    they.fills_in("Gina", "Webinar")
    they.fills_in("Liam", "Newsletter")


def import_list(they: People) -> None:
    """Sales imports a list from the trade fair; Gina is on it, and in HubSpot already."""
    for name in ("Bruno", "Dana", "Gina", "Henry", "Ines", "Jonas", "Kira"):
        they.is_imported(name)


def interest(they: People) -> None:
    """Ann and Bruno come back and show interest."""
    they.fills_in("Ann", "ROI calculator")
    they.clicks("Bruno")
    they.fills_in("Bruno", "Webinar")
    they.visits("Liam", pages=1)
    they.clicks("Dana")


def demo_wanted(they: People) -> None:
    """Chen asks for a demo, which is a fast track to sales."""
    they.fills_in("Chen", "Request a demo")


def first_verdicts(they: People) -> None:
    """Sales looks at its new leads: Ann is too early, Bruno is taken on."""
    they.is_rejected("Ann", "timing", "The budget for it comes next quarter")
    they.is_accepted("Bruno")


def more_leads(they: People) -> None:
    """Henry and Ines become interesting; marketing vouches for Kira."""
    they.visits("Henry", pages=2)
    they.fills_in("Henry", "Checklist")
    they.clicks("Ines")
    they.fills_in("Ines", "Checklist")
    they.is_marked("Kira", "OPEN")


def wrong_territory(they: People) -> None:
    """Henry is handed to the wrong person, Ines is rejected without a reason, Kira is accepted."""
    they.is_rejected("Henry", "wrong_territory")
    they.is_rejected("Ines", None)
    they.is_accepted("Kira", in_verdict_field=True)


def reason_wanted(they: People) -> None:
    """leadloop has asked why Ines was rejected, and gets an answer. Chen and Henry are accepted."""
    they.is_given_reason("Ines", "bad_data")
    they.is_accepted("Chen")
    they.is_accepted("Henry")


def conversions(they: People) -> None:
    """Bruno and Chen are converted, and Jonas, whom sales met without leadloop's help."""
    they.is_converted("Bruno", with_opportunity=True)
    they.is_converted("Chen")
    they.is_converted("Jonas", with_opportunity=True, by=SALES[1])


def odd_data(they: People) -> None:
    """Fatima, whose name is too long for Salesforce, and Gina, who is in both, become MQLs."""
    they.visits("Fatima", pages=2)
    they.fills_in("Fatima", "ROI calculator")
    they.clicks("Gina")
    they.fills_in("Gina", "Checklist")


def outcomes(they: People) -> None:
    """Jonas signs, Bruno does not, and Chen gets an offer."""
    they.is_won("Jonas")
    they.is_lost("Bruno")
    they.gets_opportunity("Chen")
    they.is_accepted("Gina")


def too_early(they: People) -> None:
    """Ann reads on, but sales wants to hear nothing of her for 30 days."""
    they.visits("Ann", pages=2)
    they.fills_in("Ann", "Business case")


def better_than_before(they: People) -> None:
    """Her rest is over: Ann, promoted, comes back with more interest than before."""
    they.visits("Ann", pages=4)
    they.clicks("Ann")
    they.fills_in("Ann", "Implementation guide", jobtitle="Chief Revenue Officer")


def second_chance(they: People) -> None:
    """This time, Ann is accepted."""
    they.is_accepted("Ann")


def sales_qualified(they: People) -> None:
    """Ann is qualified and converted; Henry is, too."""
    they.is_converted("Ann")
    they.is_converted("Henry")


def offer(they: People) -> None:
    """Ann gets an offer."""
    they.gets_opportunity("Ann")


def signature(they: People) -> None:
    """Ann, once rejected, signs."""
    they.is_won("Ann")


SCRIPT = (
    Act(0, 9, forms),
    Act(0, 14, import_list),
    Act(1, 10, interest),
    Act(2, 9, demo_wanted),
    Act(2, 13, first_verdicts),
    Act(4, 10, more_leads),
    Act(7, 9, wrong_territory),
    Act(7, 9.5, reason_wanted),
    Act(9, 11, conversions),
    Act(14, 10, odd_data),
    Act(21, 15, outcomes),
    Act(24, 9, too_early),
    Act(36, 10, better_than_before),
    Act(37, 9, second_chance),
    Act(42, 11, sales_qualified),
    Act(49, 10, offer),
    Act(63, 16, signature),
)
