//! Brings thirty rules for one body and delivers each, again and again.

use sluicegate_sdk::prelude::*;

struct MessageFlood;

impl Adapter for MessageFlood {
    const MANIFEST: &'static str = r#"
name = "message-flood"
version = "0.1.0"
summary = "MessageFlood of the tests"
actions = []
meta = []
composes = false

[[route]]
name = "message"
path = "/{credential}"
methods = ["POST"]
auth = "credential"
body = "json"

[[identity]]
name = "rule-0"
source = "message"
kind = "message"
event = "/ids/0"
message = "/ids/0"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-1"
source = "message"
kind = "message"
event = "/ids/1"
message = "/ids/1"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-2"
source = "message"
kind = "message"
event = "/ids/2"
message = "/ids/2"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-3"
source = "message"
kind = "message"
event = "/ids/3"
message = "/ids/3"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-4"
source = "message"
kind = "message"
event = "/ids/4"
message = "/ids/4"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-5"
source = "message"
kind = "message"
event = "/ids/5"
message = "/ids/5"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-6"
source = "message"
kind = "message"
event = "/ids/6"
message = "/ids/6"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-7"
source = "message"
kind = "message"
event = "/ids/7"
message = "/ids/7"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-8"
source = "message"
kind = "message"
event = "/ids/8"
message = "/ids/8"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-9"
source = "message"
kind = "message"
event = "/ids/9"
message = "/ids/9"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-10"
source = "message"
kind = "message"
event = "/ids/10"
message = "/ids/10"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-11"
source = "message"
kind = "message"
event = "/ids/11"
message = "/ids/11"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-12"
source = "message"
kind = "message"
event = "/ids/12"
message = "/ids/12"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-13"
source = "message"
kind = "message"
event = "/ids/13"
message = "/ids/13"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-14"
source = "message"
kind = "message"
event = "/ids/14"
message = "/ids/14"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-15"
source = "message"
kind = "message"
event = "/ids/15"
message = "/ids/15"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-16"
source = "message"
kind = "message"
event = "/ids/16"
message = "/ids/16"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-17"
source = "message"
kind = "message"
event = "/ids/17"
message = "/ids/17"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-18"
source = "message"
kind = "message"
event = "/ids/18"
message = "/ids/18"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-19"
source = "message"
kind = "message"
event = "/ids/19"
message = "/ids/19"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-20"
source = "message"
kind = "message"
event = "/ids/20"
message = "/ids/20"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-21"
source = "message"
kind = "message"
event = "/ids/21"
message = "/ids/21"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-22"
source = "message"
kind = "message"
event = "/ids/22"
message = "/ids/22"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-23"
source = "message"
kind = "message"
event = "/ids/23"
message = "/ids/23"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-24"
source = "message"
kind = "message"
event = "/ids/24"
message = "/ids/24"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-25"
source = "message"
kind = "message"
event = "/ids/25"
message = "/ids/25"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-26"
source = "message"
kind = "message"
event = "/ids/26"
message = "/ids/26"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-27"
source = "message"
kind = "message"
event = "/ids/27"
message = "/ids/27"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-28"
source = "message"
kind = "message"
event = "/ids/28"
message = "/ids/28"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]

[[identity]]
name = "rule-29"
source = "message"
kind = "message"
event = "/ids/29"
message = "/ids/29"
sender = "/sender"
conversation = "/conversation"
direct = { const = true }
text = ["/text"]
"#;

    fn handle(event: Event) -> Handled {
        let Event::Requested(request) = event else { return Ok(None) };
        let _: Value = request.item.json()?;
        let mut refused = 0;
        for _ in 0..1000 {
            for number in 0..30 {
                refused += usize::from(Message::rule(&format!("rule-{number}")).deliver().is_err());
            }
        }
        log::info(format!("refused {refused}"));
        Ok(None)
    }
}

export_adapter!(MessageFlood);
