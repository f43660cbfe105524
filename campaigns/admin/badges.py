"""States as words with a colour: the word says it, the colour only helps."""

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from campaigns.models import Campaign, Message

CAMPAIGN_STYLES = {
    Campaign.State.SENDING: "dp-accent",
    Campaign.State.PAUSED: "dp-warn",
    Campaign.State.FINISHED: "dp-good",
}
MESSAGE_STYLES = {
    Message.State.CLAIMED: "dp-accent",
    Message.State.HANDING_OVER: "dp-accent",
    Message.State.SENT: "dp-good",
    Message.State.REFUSED: "dp-danger",
    Message.State.IN_DOUBT: "dp-warn",
}


def campaign_badge(campaign: Campaign) -> SafeString:
    style = CAMPAIGN_STYLES.get(Campaign.State(campaign.state), "")
    return badge(campaign.get_state_display(), style)


def message_badge(message: Message) -> SafeString:
    style = MESSAGE_STYLES.get(Message.State(message.state), "")
    return badge(message.get_state_display(), style)


def badge(word: str, style: str) -> SafeString:
    return format_html('<span class="dp-badge {}">{}</span>', style, capfirst(word))
