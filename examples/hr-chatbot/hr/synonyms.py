"""The words people use, beside those a handbook uses: what each may also be called there."""

from __future__ import annotations

_GROUPS = """
    vacation, holiday, leave
    wage, salary, pay, paycheck
    money, pay, cash
    boss, manager, supervisor
    firm, company, employer
    colleague, coworker, employee
    quit, resign, resignation, notice
    fired, dismissal, dismissed, sacked
    trial, probation
    dad, father, parent
    mum, mom, mother, parent
    pregnant, pregnancy, birth, maternity
    paternity, parental
    baby, child, birth
    kid, kids, child, children, daughter, son
    wife, husband, spouse, partner
    wedding, married, marrying, marry
    died, dies, death, funeral, bereavement, passed
    grandmother, grandfather, grandparent
    sick, ill, illness, flu, fever
    doctor, gp, physician
    note, certificate
    notebook, laptop, computer
    stolen, theft, loss, lost
    bike, bicycle
    car, vehicle
    train, rail, transport
    ticket, pass
    taxi, cab
    flight, fly, plane
    hotel, room, lodging
    food, meal, meals
    dinner, meal
    client, customer
    bill, receipt, invoice
    costs, expenses, expense, spending, claim
    retirement, pension, retire
    bonus, commission
    raise, rise, raises, increase, promotion
    course, courses, training
    degree, mba, degrees
    standby, call, duty
    phoned, called
    home, house, living
    remote, home
    abroad, country, foreign
    moving, move, relocation, relocate
    removal, moving
    flat, apartment
    gym, sports
    dentist, dental
    glasses, lenses
    burnt, stress, counselling
    phishing, suspicious
    chatgpt, ai, assistants, artificial
    rubbish, waste, trash
    lab, laboratory
    eye, eyes
    hot, heat, degrees
    dog, dogs, pets
    desk, desks, seat
    order, orders, parcel, parcels, delivered, delivery
    beer, wine, alcohol
    present, gift, gifts
    harassment, harassing, remarks
    bully, bullying
    whistleblowing, report, fraud
    anonymous, anonymously, name
    rating, review
    unfair, unfairly, disagree
    departments, department, team
    extra, overtime, supplement
    sunday, sundays
    evening, night
    shut, closed, closing
    christmas, december
    faith, religion, religious, easter, eid
    password, passwords
    percentage, percent, share, rate
    promoted, promotion
    reserve, reserved, book, booked, booking
    party, parties, celebration, event
    mileage, kilometre, kilometres, distance
    contribute, contribution, contributions
    gather, assemble, meet, meeting
    picked, collected, collection
    available, reachable, present
    road, trip, trips, travel, journey
    click, clicked, link
    bot, chatbot, assistant
    owe, repay, back
    extended, extend, extends, longer, prolong, prolonged
    paper, papers, document, documents, certificate, form
    bottle, wine
    toddler, child, adopting, adoption
    pump, expressing, breastfeed, nursing
    stay, remain, remaining
    phone, telephone, mobile
    salary, wages, earn, earnings
    unused, left, carry, carried
    illness, sickness, disease
    allowed, permitted, permission, may
    forbidden, banned, prohibited
    injury, accident, hurt
    colleague, coworkers, team
    sponsor, support, grant
    permit, visa
    intern, interns, internship, trainee
    apprentice, apprentices, trainee
    badge, card
    language, languages, english, dutch
    bank, account, iban
    payslip, slip
    advance, loan
    parking, park, car
    lunch, canteen, food
    vote, election, elections
    union, council
    insurance, insured, cover, covered
    fine, fines, penalty
    refuse, refused, reject, rejected, decline
"""


def _meanings() -> dict[str, frozenset[str]]:
    meanings: dict[str, frozenset[str]] = {}
    for line in _GROUPS.strip().splitlines():
        group = frozenset(word.strip() for word in line.split(","))
        for word in group:
            meanings[word] = meanings.get(word, frozenset()) | group
    return meanings


_MEANINGS = _meanings()


def with_synonyms(words: list[str]) -> list[str]:
    """The words, and after them what they may also be called."""
    others = [other for word in words for other in sorted(_MEANINGS.get(word, ()))]
    return list(dict.fromkeys([*words, *others]))
