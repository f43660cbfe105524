"""What Dovecot is told, in the language of 2.3 (Debian 12) and in that of 2.4 (Debian 13)."""

from string import Template

SENT = "[Gmail]/Messages envoyés"
_FOLDERS = {
    r"\Sent": SENT,
    r"\All": "[Gmail]/All Mail",
    r"\Junk": "[Gmail]/Spam",
    r"\Trash": "[Gmail]/Corbeille",
    r"\Drafts": "[Gmail]/Brouillons",
}

_COMMON = """
protocols = imap pop3
listen = 127.0.0.1
base_dir = $folder/run
state_dir = $folder/state
instance_name = daypost-$imap_port
log_path = /dev/stderr

ssl = required
ssl_min_protocol = TLSv1.2

auth_mechanisms = plain login xoauth2 oauthbearer
# Refused logins are what some tests are about; they need not wait for them.
auth_failure_delay = 0
first_valid_uid = 1
# As many as Gmail allows.
mail_max_userip_connections = 15

service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $imap_port
    ssl = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = $pop_port
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener $folder/sasl {
    mode = 0666
  }
}
namespace inbox {
  inbox = yes
  separator = /
$mailboxes}
"""

_MAILBOX = """  mailbox "$name" {
    special_use = $flag
    auto = create
  }
"""

_2_3 = """
ssl_cert = <$practice/server.pem
ssl_key = <$practice/server.key
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $folder/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN $folder/app-passwords
}
userdb {
  driver = static
  args = uid=$owner gid=$group home=$folder/mail/%u
}
mail_location = maildir:~/Maildir
"""

# These two lines come first of all.
_VERSIONS_OF_2_4 = "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n"
_2_4 = """
ssl_server_cert_file = $practice/server.pem
ssl_server_key_file = $practice/server.key
oauth2 {
$oauth2}
passdb oauth2 {
  mechanisms_filter = xoauth2 oauthbearer
}
passdb passwd-file {
  mechanisms_filter = plain login
  default_password_scheme = plain
  passwd_file_path = $folder/app-passwords
}
userdb static {
  fields {
    uid = $owner
    gid = $group
    home = $folder/mail/%{user}
  }
}
mail_driver = maildir
mail_path = ~/Maildir
"""

_OAUTH2 = """introspection_mode = post
introspection_url = http://$client_id:$client_secret@127.0.0.1:$practice_port/introspect
username_attribute = email
active_attribute = active
active_value = true
scope = https://mail.google.com/
"""


def configuration(version: str, **values: object) -> dict[str, str]:
    """The text of each file, by its name, for a Dovecot of `version`, like "2.3.19.1".

    `values`: folder, practice, imap_port, pop_port, owner, group, client_id, client_secret,
    practice_port.
    """
    mailboxes = "".join(
        Template(_MAILBOX).substitute(flag=flag, name=name) for flag, name in _FOLDERS.items()
    )
    oauth2 = Template(_OAUTH2).substitute(values)
    values |= {"mailboxes": mailboxes, "oauth2": oauth2}
    if version.startswith("2.3."):
        text = Template(_COMMON + _2_3).substitute(values)
        return {"dovecot.conf": text, "oauth2.conf": oauth2}
    text = Template(_VERSIONS_OF_2_4 + _COMMON + _2_4).substitute(values)
    return {"dovecot.conf": text}
