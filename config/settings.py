"""All settings of an instance, read from the environment, a `.env` file, or `NAME_FILE` paths.

Every name is listed, with its meaning, in `docs/settings.md`. A value that production needs and
that cannot be made safely by default is refused loudly here rather than guessed.
"""

from pathlib import Path

import tzlocal
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.environment import Environment
from config.first_run import (
    ensure_folder,
    ensure_key,
    new_lasting_key,
    new_secret_key,
    new_vault_key,
)

BASE_DIR = Path(__file__).resolve().parent.parent

env = Environment()
env.read_env(BASE_DIR / ".env")

# --- The data folder -------------------------------------------------------------------------

DATA_DIR = ensure_folder(BASE_DIR / env.str("DAYPOST_DATA_DIR", default="var"))
KEYS_DIR = ensure_folder(DATA_DIR / "keys")
UPLOADS_DIR = ensure_folder(DATA_DIR / "uploads")
# Where `make run` puts its practice Gmail; its `env` file holds the practice endpoints.
PRACTICE_DIR = DATA_DIR / "practice"

# --- Keys ------------------------------------------------------------------------------------

SECRET_KEY = env.str("SECRET_KEY", default="") or ensure_key(
    KEYS_DIR / "secret_key", new_secret_key
)
# Newest first. The first encrypts, all decrypt.
VAULT_KEYS = (
    env.list("VAULT_KEYS", default=[]) or ensure_key(KEYS_DIR / "vault_keys", new_vault_key).split()
)
# These two are never changed: by the first a suppressed address is known again after its contact
# was erased; the second is in the links of all mail that was ever sent.
SUPPRESSION_KEY = env.str("SUPPRESSION_KEY", default="") or ensure_key(
    KEYS_DIR / "suppression_key", new_lasting_key
)
TOKEN_KEY = env.str("TOKEN_KEY", default="") or ensure_key(KEYS_DIR / "token_key", new_lasting_key)

# --- Web -------------------------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=False)

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.admin_config.DaypostAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "csp",
    "accounts",
    "campaigns",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.practice_banner",
            ],
        },
    },
]

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = ensure_folder(DATA_DIR / "static")
# Files are served straight from the packages that carry them: no collecting step to forget.
WHITENOISE_USE_FINDERS = True

# Alpine, which the theme is built on, evaluates expressions ('unsafe-eval') and sets styles.
# Author's HTML is never shown under this policy: previews answer with their own, without script.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [SELF],
    }
}
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_NAME = "daypost_session"
CSRF_COOKIE_NAME = "daypost_csrf"
# Over plain http on localhost a secure cookie would never come back; behind PUBLIC_URL it must be.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = False
if PUBLIC_URL.startswith("https://"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=3600)

# What `check --deploy` would have otherwise, and why it is so.
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # whether subdomains speak https too is not for one application to say
    "security.W021",  # nor is asking browsers to remember it for good
    "security.W008",  # the proxy in front of PUBLIC_URL redirects; http://localhost stays open
    "security.W019",  # previews are shown in frames, by this site and no other
]
if not PUBLIC_URL.startswith("https://"):
    # Over http://localhost a secure cookie would never come back, and there is no https to insist
    # on. A PUBLIC_URL without https has a warning of its own (accounts.W001).
    SILENCED_SYSTEM_CHECKS += ["security.W004", "security.W012", "security.W016"]

# --- Database, cache, broker -----------------------------------------------------------------

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'daypost.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: SQLite ignores select_for_update, so a claim must take the write lock at its start.
    # synchronous=FULL: in WAL mode NORMAL may undo a committed claim after a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Shared by all processes, so that rate limits count together and survive a restart.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "daypost_cache",
        # So many that nobody pushes out a count of failed log-ins by making others.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
BROKER_DIR = DATA_DIR / "broker"
WORKER_THREADS = env.int("WORKER_THREADS", default=16)

# --- What is old -----------------------------------------------------------------------------

KEEP_LEDGER_DAYS = env.int("KEEP_LEDGER_DAYS", default=90)
KEEP_FILES_DAYS = env.int("KEEP_FILES_DAYS", default=30)
KEEP_HISTORY_DAYS = env.int("KEEP_HISTORY_DAYS", default=365)

# --- People ----------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = reverse_lazy("account_login")
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Nobody is asked to confirm an address: an instance has no way to send mail before it is set up.
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_PREVENT_ENUMERATION = True
# Each reset is a mail: by asking again and again a stranger would use up the workspace's limit.
ACCOUNT_RATE_LIMITS = {"reset_password": "20/h/ip,3/h/key,6/d/key"}
# Whose tries are counted: behind a proxy the address that it names, else that of the connection.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int(
    "ALLAUTH_TRUSTED_PROXY_COUNT", default=1 if PUBLIC_URL.startswith("https://") else 0
)

# Mail of the instance itself (password reset) leaves through the workspace's own Gmail account.
EMAIL_BACKEND = "campaigns.delivery.backend.GmailBackend"

# --- Language and time -----------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE = env.str("TIME_ZONE", default="") or tzlocal.get_localzone_name() or "UTC"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True

# --- Google ----------------------------------------------------------------------------------

GOOGLE = {
    "client_id": env.str("GOOGLE_CLIENT_ID", default=""),
    "client_secret": env.str("GOOGLE_CLIENT_SECRET", default=""),
    "auth_uri": env.str("GOOGLE_AUTH_URI", default="https://accounts.google.com/o/oauth2/v2/auth"),
    "token_uri": env.str("GOOGLE_TOKEN_URI", default="https://oauth2.googleapis.com/token"),
    "userinfo_uri": env.str(
        "GOOGLE_USERINFO_URI", default="https://openidconnect.googleapis.com/v1/userinfo"
    ),
    "revoke_uri": env.str("GOOGLE_REVOKE_URI", default="https://oauth2.googleapis.com/revoke"),
}
GMAIL = {
    "smtp_host": env.str("GMAIL_SMTP_HOST", default="smtp.gmail.com"),
    "smtp_ssl_port": env.int("GMAIL_SMTP_SSL_PORT", default=465),
    "smtp_starttls_port": env.int("GMAIL_SMTP_STARTTLS_PORT", default=587),
    "imap_host": env.str("GMAIL_IMAP_HOST", default="imap.gmail.com"),
    "imap_port": env.int("GMAIL_IMAP_PORT", default=993),
    "pop_host": env.str("GMAIL_POP_HOST", default="pop.gmail.com"),
    "pop_port": env.int("GMAIL_POP_PORT", default=995),
    "ca_file": env.str("GMAIL_CA_FILE", default=""),
}

# --- Interface -------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Daypost",
    "SITE_HEADER": "Daypost",
    "SITE_SYMBOL": "schedule_send",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: "/static/daypost/daypost.css"],
    "SCRIPTS": [lambda request: "/static/daypost/daypost.js"],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "config.navigation.sidebar",
    },
}

# --- Errors ----------------------------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER_FILTER = "accounts.error_reports.DiscreetFilter"

# --- Logging ---------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
}
