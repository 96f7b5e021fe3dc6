"""E-mail addresses as rules see them: the domain, and whether it belongs to a free or throw-away provider."""

from __future__ import annotations

from typing import Final

FREE_MAIL_DOMAINS: Final = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com passport.com windowslive.com
    hotmail.co.uk hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.com.br live.ca live.co.uk
    live.com.au live.de live.dk live.fr live.in live.it live.nl live.no live.se outlook.at
    outlook.be outlook.com.au outlook.com.br outlook.de outlook.dk outlook.es outlook.fr outlook.in
    outlook.it outlook.jp yahoo.com ymail.com rocketmail.com myyahoo.com yahoo.at yahoo.be yahoo.ca
    yahoo.co.id yahoo.co.in yahoo.co.jp yahoo.co.nz yahoo.co.uk yahoo.com.ar yahoo.com.au
    yahoo.com.br yahoo.com.hk yahoo.com.mx yahoo.com.my yahoo.com.ph yahoo.com.sg yahoo.com.tr
    yahoo.com.tw yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fr yahoo.gr yahoo.ie yahoo.in
    yahoo.it yahoo.nl yahoo.no yahoo.pl yahoo.ro yahoo.se aol.com aol.co.uk aol.de aol.fr aim.com
    verizon.net icloud.com me.com mac.com proton.me protonmail.com protonmail.ch pm.me tutanota.com
    tutanota.de tuta.io tuta.com hushmail.com fastmail.com fastmail.fm zoho.com zohomail.com
    zohomail.in hey.com mail.com email.com gmx.at gmx.ch gmx.com gmx.de gmx.eu gmx.fr gmx.net gmx.us
    web.de t-online.de freenet.de arcor.de posteo.de mailbox.org email.de 1und1.de online.de
    vodafone.de orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it
    virgilio.it alice.it tin.it tiscali.it inwind.it terra.com.br uol.com.br bol.com.br ig.com.br
    globo.com ziggo.nl kpnmail.nl planet.nl hetnet.nl home.nl telenet.be skynet.be proximus.be
    bluewin.ch sunrise.ch hispeed.ch telia.com spray.se bredband.net online.no mail.dk wp.pl o2.pl
    onet.pl interia.pl op.pl poczta.fm gazeta.pl seznam.cz centrum.cz atlas.cz email.cz azet.sk
    freemail.hu citromail.hu abv.bg mail.bg mail.ru bk.ru inbox.ru list.ru internet.ru yandex.com
    yandex.ru ya.ru rambler.ru ukr.net i.ua btinternet.com virginmedia.com sky.com talktalk.net
    ntlworld.com blueyonder.co.uk comcast.net att.net sbcglobal.net bellsouth.net cox.net
    charter.net earthlink.net optonline.net juno.com netzero.net frontier.com windstream.net
    rogers.com shaw.ca sympatico.ca telus.net videotron.ca bigpond.com bigpond.net.au
    optusnet.com.au iinet.net.au xtra.co.nz rediffmail.com indiatimes.com sify.com qq.com
    foxmail.com 163.com 126.com yeah.net sina.com sina.cn sohu.com 139.com 189.cn aliyun.com
    naver.com daum.net hanmail.net nate.com docomo.ne.jp ezweb.ne.jp softbank.ne.jp mailinator.com
    guerrillamail.com 10minutemail.com temp-mail.org yopmail.com trashmail.com sharklasers.com
    throwawaymail.com getnada.com dispostable.com maildrop.cc mintemail.com
    """.split()  # noqa: SIM905  # a list of 230 quoted names would be 230 lines
)
"""Domains that say nothing about the company that somebody works for."""


def domain(address: str) -> str | None:
    """The part after the @, lower-case; None where there is none."""
    local, at, host = address.rpartition("@")
    host = host.strip().lower()
    return host if at and local and host else None


def is_free_mail(address: str) -> bool | None:
    """Whether the address is of a free or throw-away provider; None where it has no domain."""
    host = domain(address)
    return None if host is None else host in FREE_MAIL_DOMAINS
