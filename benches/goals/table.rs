//! The table of docs/PERFORMANCE.md: read, rows replaced by their names, written back.

use std::path::PathBuf;

const BEGIN: &str = "<!-- written by `just bench` from here -->";
const END: &str = "<!-- to here -->";
const HEAD: &str = "| goal | what, against what | target | here | met |\n|---|---|---|---|---|\n";

/// The order of the rows; one of another name, of a log of another size, is shown and not written.
const ORDER: &[&str] = &[
    "G1",
    "G1b append",
    "G1b overwrite",
    "G2 10^5",
    "G2 10^6",
    "G2 10^7",
    "G3 P-256",
    "G3 Ed25519",
    "G4 10^6",
    "G4 10^7",
    "G4b 10^6",
    "G4b 10^7",
    "G5 cost",
    "G5 rate",
    "G6",
    "G6 memory",
    "G6b cosign",
    "G6b sigstore-go",
    "G7",
    "G9",
    "G12",
    "G12 public",
    "G12 certificates",
];

/// One row.
pub struct Row<'a> {
    /// Its name, of [`ORDER`].
    pub goal: &'a str,
    /// What is measured, against what.
    pub what: String,
    /// The target.
    pub target: &'a str,
    /// What was measured.
    pub here: String,
    /// Whether that meets the target; nothing where it was not measured.
    pub met: Option<bool>,
}

/// The page and its rows.
pub struct Table {
    path: PathBuf,
    before: String,
    rows: Vec<(String, String)>,
    after: String,
}

impl Table {
    /// Reads the page.
    pub fn open(path: PathBuf) -> Self {
        let page = std::fs::read_to_string(&path).unwrap();
        let (before, rest) = page.split_once(BEGIN).expect("docs/PERFORMANCE.md has the mark where the table begins");
        let (table, after) = rest.split_once(END).expect("docs/PERFORMANCE.md has the mark where the table ends");
        let rows = table
            .lines()
            .filter_map(|line| {
                line.strip_prefix("| ")?.split_once(" |").map(|(name, _)| (name.to_owned(), line.to_owned()))
            })
            .filter(|(name, _)| ORDER.contains(&name.as_str()))
            .collect();
        Self { path, before: before.to_owned(), rows, after: after.to_owned() }
    }

    /// Takes a row in place of the one of its name, and shows it.
    pub fn set(&mut self, row: Row<'_>) {
        let met = row.met.map_or("–", |met| if met { "yes" } else { "**no**" });
        let line = format!("| {} | {} | {} | {} | {met} |", row.goal, row.what, row.target, row.here);
        println!("{line}");
        if !ORDER.contains(&row.goal) {
            println!("  (no row of the table)");
            return;
        }
        self.rows.retain(|(name, _)| name != row.goal);
        self.rows.push((row.goal.to_owned(), line));
    }

    /// Writes the page, its rows in their order.
    pub fn write(mut self) {
        self.rows.sort_by_key(|(name, _)| ORDER.iter().position(|known| known == name));
        let rows: String = self.rows.iter().map(|(_, line)| format!("{line}\n")).collect();
        let page = format!("{}{BEGIN}\n{HEAD}{rows}{END}{}", self.before, self.after);
        std::fs::write(&self.path, page).unwrap();
    }
}
