//! Who passes: a function of the access and the speaker, without files, clocks or chance.

use super::{Access, Cause, DmPolicy, Speaker, mention::Mentions, visible::id_fault};
use crate::message::{Kind, TextBy};

/// What the access says about a speaker.
pub(super) enum Standing {
    /// They may speak.
    Admitted,
    /// They may not.
    Refused(Cause),
    /// They may not, but they may ask to.
    Stranger,
}

/// Judges a speaker by who they are. The room alone never admits anybody: in a direct conversation only the
/// sender's id counts, in a group the group's entry and its members.
pub(super) fn weigh(access: &Access, mentions: &Mentions, speaker: &Speaker<'_>) -> Standing {
    if access.dm_policy == DmPolicy::Disabled {
        return Standing::Refused(Cause::Disabled);
    }
    if speaker.sender.is_empty() || speaker.conversation.is_empty() {
        return Standing::Refused(Cause::Unidentified);
    }
    if speaker.by_credential {
        return Standing::Admitted;
    }
    if speaker.direct { direct(access, speaker) } else { group(access, mentions, speaker) }
}

fn direct(access: &Access, speaker: &Speaker<'_>) -> Standing {
    if access.allows(speaker.sender) {
        return Standing::Admitted;
    }
    let sender = speaker.sender.to_owned();
    Standing::Refused(if access.dm_policy != DmPolicy::Pairing {
        Cause::UnknownSender(sender)
    } else if id_fault(speaker.sender).is_some() {
        Cause::Unidentified
    } else if speaker.kind != Kind::Message {
        Cause::NotAMessage(sender, speaker.kind)
    } else if !speaker.vetted {
        Cause::Unvetted(sender)
    } else if speaker.text_by != TextBy::Sender {
        Cause::AdapterWords(sender)
    } else {
        return Standing::Stranger;
    })
}

fn group(access: &Access, mentions: &Mentions, speaker: &Speaker<'_>) -> Standing {
    let Some(group) = access.groups.get(speaker.conversation) else {
        return Standing::Refused(Cause::UnlistedGroup(speaker.conversation.to_owned()));
    };
    if !group.allow_from.is_empty() && !group.allow_from.iter().any(|member| member == speaker.sender) {
        return Standing::Refused(Cause::NotAMember {
            group: speaker.conversation.to_owned(),
            sender: speaker.sender.to_owned(),
        });
    }
    let addressed =
        !group.require_mention || speaker.mentions_me || speaker.reply_to_me || mentions.found_in(speaker.text);
    if addressed { Standing::Admitted } else { Standing::Refused(Cause::NotMentioned(speaker.conversation.to_owned())) }
}
