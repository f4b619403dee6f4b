//! A JSON text as a tree that keeps every member, every order and every spelling, so that a text can be broken at one place.
//!
//! A leaf is the token as it stands in the text, quotes and escapes included; so is a member's name. What a JSON library
//! would put in order (a member twice, a number with a plus sign) can therefore be written.

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// Members in their order: the name's token, and the value.
    Object(Vec<(String, Json)>),
    /// Elements in their order.
    Array(Vec<Json>),
    /// A string, a number or a literal, as it stands in the text.
    Leaf(String),
}

/// A way from the root: the numbers of members and elements, 0-based.
pub type Way = Vec<usize>;

/// Writes a text as a JSON string.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// Makes a string.
pub fn text(text: &str) -> Json {
    Json::Leaf(quoted(text))
}

/// Makes a leaf of a token.
pub fn token(token: &str) -> Json {
    Json::Leaf(token.to_owned())
}

impl Json {
    /// Reads a text that is known to be JSON.
    pub fn parse(text: &str) -> Json {
        let mut reader = Reader { text: text.as_bytes(), at: 0 };
        let value = reader.value();
        assert_eq!(reader.at, text.trim_end().len(), "text after the end");
        value
    }

    /// Writes the text, without white space.
    pub fn render(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, "", "");
        out
    }

    /// Writes the text with `between` around every token.
    pub fn render_with(&self, between: &str) -> String {
        let mut out = between.to_owned();
        self.write(&mut out, between, between);
        out
    }

    fn write(&self, out: &mut String, between: &str, after: &str) {
        match self {
            Json::Leaf(token) => out.push_str(token),
            Json::Array(elements) => {
                out.push('[');
                for (number, element) in elements.iter().enumerate() {
                    out.push_str(if number == 0 { "" } else { "," });
                    out.push_str(between);
                    element.write(out, between, between);
                }
                out.push_str(if elements.is_empty() { between } else { "" });
                out.push(']');
            }
            Json::Object(members) => {
                out.push('{');
                for (number, (name, value)) in members.iter().enumerate() {
                    out.push_str(if number == 0 { "" } else { "," });
                    for piece in [between, name, between, ":", between] {
                        out.push_str(piece);
                    }
                    value.write(out, between, between);
                }
                out.push_str(if members.is_empty() { between } else { "" });
                out.push('}');
            }
        }
        out.push_str(after);
    }

    /// The value at a path like `/dsseEnvelope/signatures/0`.
    pub fn at(&mut self, path: &str) -> &mut Json {
        path.split('/').skip(1).fold(self, |value, step| match value {
            Json::Object(members) => {
                let name = quoted(step);
                let found = members.iter_mut().find(|(have, _)| *have == name);
                &mut found.unwrap_or_else(|| panic!("no member {step} of {path}")).1
            }
            Json::Array(elements) => &mut elements[step.parse::<usize>().unwrap()],
            Json::Leaf(_) => panic!("{path} goes through a leaf"),
        })
    }

    /// The members of an object.
    pub fn members(&mut self) -> &mut Vec<(String, Json)> {
        match self {
            Json::Object(members) => members,
            other => panic!("no object: {other:?}"),
        }
    }

    /// The elements of an array.
    pub fn elements(&mut self) -> &mut Vec<Json> {
        match self {
            Json::Array(elements) => elements,
            other => panic!("no array: {other:?}"),
        }
    }

    /// What a string says, its escapes undone; of a number, its digits.
    pub fn said(&self) -> String {
        match self {
            Json::Leaf(token) if token.starts_with('"') => serde_json::from_str(token).unwrap(),
            Json::Leaf(token) => token.clone(),
            other => panic!("no string: {other:?}"),
        }
    }

    /// Takes the member at a path out of its object.
    pub fn drop_member(&mut self, path: &str) -> Json {
        let (object, name) = path.rsplit_once('/').unwrap();
        let members = self.at(object).members();
        let name = quoted(name);
        let place = members.iter().position(|(have, _)| *have == name).unwrap_or_else(|| panic!("no {path}"));
        members.remove(place).1
    }

    /// Adds a member at the end of the object at a path.
    pub fn add(&mut self, object: &str, name: &str, value: Json) {
        self.at(object).members().push((quoted(name), value));
    }

    /// The value at a way.
    pub fn on(&mut self, way: &[usize]) -> &mut Json {
        way.iter().fold(self, |value, &step| match value {
            Json::Object(members) => &mut members[step].1,
            Json::Array(elements) => &mut elements[step],
            Json::Leaf(_) => panic!("a way goes through a leaf"),
        })
    }

    /// Every value with its way and its path, the root first; elements are called by their numbers.
    pub fn ways(&self) -> Vec<(Way, String)> {
        let mut out = Vec::new();
        self.walk(&mut Way::new(), "", &mut out);
        out
    }

    fn walk(&self, way: &mut Way, path: &str, out: &mut Vec<(Way, String)>) {
        out.push((way.clone(), path.to_owned()));
        let children: Vec<(String, &Json)> = match self {
            Json::Leaf(_) => Vec::new(),
            Json::Object(members) => members.iter().map(|(name, value)| (token(name).said(), value)).collect(),
            Json::Array(elements) => elements.iter().enumerate().map(|(n, value)| (n.to_string(), value)).collect(),
        };
        for (number, (name, value)) in children.into_iter().enumerate() {
            way.push(number);
            value.walk(way, &format!("{path}/{name}"), out);
            way.pop();
        }
    }
}

/// Reads JSON that is known to be well-formed.
struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> u8 {
        while self.text[self.at].is_ascii_whitespace() {
            self.at += 1;
        }
        self.text[self.at]
    }

    fn value(&mut self) -> Json {
        match self.peek() {
            b'{' => {
                let mut members = Vec::new();
                self.list(b'}', |reader| {
                    reader.peek();
                    let name = reader.leaf();
                    assert_eq!(reader.peek(), b':');
                    reader.at += 1;
                    let value = reader.value();
                    members.push((name, value));
                });
                Json::Object(members)
            }
            b'[' => {
                let mut elements = Vec::new();
                self.list(b']', |reader| elements.push(reader.value()));
                Json::Array(elements)
            }
            _ => Json::Leaf(self.leaf()),
        }
    }

    fn list(&mut self, end: u8, mut element: impl FnMut(&mut Self)) {
        self.at += 1;
        while self.peek() != end {
            element(self);
            if self.peek() == b',' {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn leaf(&mut self) -> String {
        let start = self.at;
        if self.text[start] == b'"' {
            self.at += 1;
            while self.text[self.at] != b'"' {
                self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
            }
            self.at += 1;
        } else {
            while !b",]} \n\t\r".contains(&self.text[self.at]) {
                self.at += 1;
            }
        }
        String::from_utf8(self.text[start..self.at].to_vec()).unwrap()
    }
}
