"""Django's settings, from the environment (`environment.VARIABLES`)."""

from __future__ import annotations

import sys

from csp.constants import NONCE, NONE, SELF

from lipei.config import environment

ENV = environment.read()
HOME = environment.made_home(ENV["LIPEI_HOME"])
TESTING = "pytest" in sys.modules

LIPEI_HOME = HOME
LIPEI_DATA_KEY = ENV["LIPEI_DATA_KEY"] or environment.kept_secret(HOME, "data.key")
LIPEI_MEDIA = ENV["LIPEI_MEDIA"] or str(HOME / "media")
LIPEI_EMAIL_URL = ENV["LIPEI_EMAIL_URL"]
LIPEI_EMAIL_FROM = ENV["LIPEI_EMAIL_FROM"]
LIPEI_SMS_URL = ENV["LIPEI_SMS_URL"]
LIPEI_BANK_URL = ENV["LIPEI_BANK_URL"]
LIPEI_BANK_ACCOUNT = ENV["LIPEI_BANK_ACCOUNT"]
LIPEI_BANK_WAIT = ENV["LIPEI_BANK_WAIT"]
LIPEI_MARKET = ENV["LIPEI_MARKET"]
LIPEI_ORIGIN = ENV["LIPEI_ORIGIN"]
LIPEI_PROXIES = ENV["LIPEI_PROXIES"]
LIPEI_WEBHOOK_INSIDE = environment.webhooks_inside(ENV["LIPEI_WEBHOOK_INSIDE"], LIPEI_ORIGIN)

SECRET_KEY = ENV["LIPEI_SECRET_KEY"] or environment.kept_secret(HOME, "secret.key")
DEBUG = ENV["LIPEI_DEBUG"]
ALLOWED_HOSTS = [*ENV["LIPEI_HOSTS"], *(["testserver"] if TESTING else [])]

INSTALLED_APPS = [
    "lipei.web",  # first, so that its templates stand before those of the parts we take
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "lipei.store",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "lipei.web.assets.Files",
    "lipei.web.assets.Packed",
    "csp.middleware.CSPMiddleware",
    "lipei.web.middleware.bounded",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "lipei.web.middleware.language",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "lipei.config.urls"
WSGI_APPLICATION = "lipei.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "lipei.web.context.company",
            ],
            "builtins": ["lipei.web.templatetags.lipei", "lipei.web.templatetags.parts"],
        },
    }
]

DATABASES = {"default": environment.database(ENV["LIPEI_DATABASE_URL"], HOME, ENV["LIPEI_DATABASE_POOL"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "lipei.web.accounts.StaffOnly"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_RATE_LIMITS = {
    "login_failed": None
}  # axes counts wrong passwords, in the database and for all processes together
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/console/"
AXES_FAILURE_LIMIT = "lipei.web.accounts.attempts_max"
AXES_COOLOFF_TIME = "lipei.web.accounts.lock_time"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "lipei.web.accounts.locked_out"
AXES_CLIENT_IP_CALLABLE = "lipei.web.callers.address"

LANGUAGE_CODE = ENV["LIPEI_LANGUAGE"]
LANGUAGES = [("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English")]
USE_I18N = True
USE_TZ = True
TIME_ZONE = str(ENV["LIPEI_TIME_ZONE"])

STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 0 if DEBUG else 365 * 24 * 60 * 60  # addresses carry the digest of their content
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "lipei.web.assets.Versioned"},
}
MEDIA_ROOT = LIPEI_MEDIA

CSRF_FAILURE_VIEW = "lipei.web.console.access.csrf_failed"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = ENV["LIPEI_HTTPS"]
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]  # asked by a neighbour on the machine, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if ENV["LIPEI_HTTPS"] else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV["LIPEI_PROXIES"] else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 200  # a form's, as many as a claim takes unless a manager says otherwise

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],  # blob: pictures that wait on the phone
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

SILENCED_SYSTEM_CHECKS = ["axes.W003"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "lipei.config.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": ENV["LIPEI_LOG"]},
    # httpx would log the address of every call, and in addresses are keys.
    "loggers": {name: {"level": "WARNING"} for name in ("axes", "django.server", "httpx", "httpcore")},
}
