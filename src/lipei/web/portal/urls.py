"""Addresses of the portal. Who may open what is decided by the visit, see `visits`."""

from __future__ import annotations

from django.urls import path

from lipei.web.portal import dates, enter, offers, report, shell, tracking, uploads

app_name = "portal"
urlpatterns = [
    path("report/", report.report, name="report"),  # and at "/", see `lipei.web.doors`
    path("help/", shell.help_page, name="help"),
    path("text-size/", shell.text_size, name="text-size"),
    path("manifest.webmanifest", shell.manifest, name="manifest"),
    path("worker.js", shell.worker, name="worker"),
    path("offline/<str:spoken>/", shell.offline, name="offline"),
    path("c/<str:token>", enter.by_link, name="link"),
    path("claim/", enter.enter, name="enter"),
    path("claim/code", enter.code, name="code"),
    path("claim/leave", enter.leave, name="leave"),
    path("claim/<str:number>/", tracking.track, name="track"),
    path("claim/<str:number>/receipt", report.receipt, name="receipt"),
    path("claim/<str:number>/dates.ics", dates.dates, name="dates"),
    path("claim/<str:number>/verify", enter.verify, name="verify"),
    path("claim/<str:number>/person/<int:party>", enter.other, name="person"),
    path("claim/<str:number>/letters/<str:letter>/<int:part>.pdf", tracking.letter, name="letter"),
    path("claim/<str:number>/message", tracking.write, name="write"),
    path("claim/<str:number>/when", tracking.when, name="when"),
    path("claim/<str:number>/withdraw", tracking.withdraw, name="withdraw"),
    path("claim/<str:number>/account", tracking.account, name="account"),
    path("claim/<str:number>/offers/<int:part>/", offers.offer, name="offer"),
    path("claim/<str:number>/papers/<int:part>", uploads.plain, name="upload"),
    path("claim/<str:number>/uploads", uploads.begin, name="upload-begin"),
    path("claim/<str:number>/uploads/<str:upload>", uploads.resume, name="upload-resume"),
]
