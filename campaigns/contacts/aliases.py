"""What people and programs call the columns that matter, in many languages.

Names of columns are compared without case, accents, spaces and signs: `E-mail 1 - Value` is
`email1value`. Google Contacts (old and new form), Outlook and the common shops and lists are
covered by their English names.
"""

import re
import unicodedata

EMAIL = "email"
FIRST_NAME = "first_name"
LAST_NAME = "last_name"
NAME = "name"

_SAID = {
    EMAIL: """
        email | e-mail address | email addresses | mail | mail address | email id | user email
        contact email | customer email | subscriber email | billing email | attendee email
        primary email | email primary | email 1 | e-mail 1 - value | e-mail 1 address
        email 1 value | work email | personal email | home email | your email | email_addr
        recipient | e-mail-adresse | mailadresse | e-mail adresse | adresse e-mail
        adresse mail | courriel | adresse courriel | adresse électronique | adresse de courriel
        correo | correo electrónico | dirección de correo | dirección de correo electrónico
        dirección de email | posta elettronica | indirizzo email | indirizzo e-mail
        indirizzo di posta elettronica | endereço de email | endereço de e-mail
        correio eletrónico | correio eletrônico | e-mailadres | mailadres | e-post
        e-postadress | e-postadresse | epostadresse | e-mailadresse | sähköposti
        sähköpostiosoite | e-posta | e-posta adresi | mail adresi | adres e-mail | adres email
        adres poczty elektronicznej | poczta | emailová adresa | elektronická pošta | e-mail cím
        adresa e-mail | adresă de email | имейл | емейл | эл. почта | почта | электронная почта
        адрес электронной почты | e-mail адрес | електронна пошта | ел. пошта
        ηλεκτρονικό ταχυδρομείο | διεύθυνση email | דוא"ל | אימייל | البريد الإلكتروني
        بريد إلكتروني | ایمیل | メール | メールアドレス | eメール | 電子メール | 邮箱 | 电子邮件
        电子邮箱 | 邮件地址 | 電子郵件 | 電子信箱 | 이메일 | 이메일 주소 | 전자우편 | ईमेल
        อีเมล | địa chỉ email
    """,
    FIRST_NAME: """
        first name | first | given name | forename | fname | first names | customer first name
        billing first name | vorname | rufname | prénom | nombre de pila | primeiro nome
        voornaam | förnamn | fornavn | etunimi | imię | imie | jméno | křestní jméno
        keresztnév | prenume | ad | adı | имя | ім'я | име | ime | όνομα | שם פרטי | الاسم الأول
        名 | 이름 | tên
    """,
    LAST_NAME: """
        last name | last | surname | family name | lname | customer last name
        billing last name | nachname | familienname | zuname | nom de famille | apellido
        apellidos | cognome | sobrenome | apelido | achternaam | efternamn | efternavn
        etternavn | sukunimi | nazwisko | příjmení | vezetéknév | nume de familie | soyad
        soyadı | фамилия | прізвище | prezime | επώνυμο | επίθετο | שם משפחה | اسم العائلة | 姓
        성 | họ
    """,
    NAME: """
        name | full name | fullname | contact name | display name | customer name | your name
        subscriber name | attendee name | recipient name | vollständiger name | nom
        nom complet | nombre | nombre completo | nome | nome completo | naam | volledige naam
        namn | navn | fullt navn | nimi | imię i nazwisko | teljes név | név | ad soyad
        ονοματεπώνυμο | שם | שם מלא | الاسم | 氏名 | 名前 | お名前 | 姓名 | नाम | ชื่อ
        họ và tên
    """,
}


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[\W_]|[\u0300-\u036f]", "", decomposed)


_FIELD_OF = {
    _plain(alias): field
    for field, aliases in _SAID.items()
    for line in aliases.strip().splitlines()
    for alias in line.split("|")
}


def alias_of(column: str) -> str | None:
    """What a column of this name is usually for: EMAIL, FIRST_NAME, LAST_NAME, NAME, or None."""
    return _FIELD_OF.get(_plain(column))
