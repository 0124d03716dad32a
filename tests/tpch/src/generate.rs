//! The data of TPC-H from a seed: eight tables whose values keep the relations that the queries
//! ask about (dates in order, prices from parts, comments with the words that are looked for).
//!
//! It follows the benchmark's schema and value ranges, not its exact distributions: what counts
//! is that two engines see the same rows. Neighbours: `queries`.

use fastrand::Rng;

/// The statements that make the schema.
pub const SCHEMA: &str = "
CREATE TABLE region(r_regionkey INTEGER PRIMARY KEY, r_name TEXT, r_comment TEXT);
CREATE TABLE nation(n_nationkey INTEGER PRIMARY KEY, n_name TEXT,
  n_regionkey INTEGER REFERENCES region, n_comment TEXT);
CREATE TABLE part(p_partkey INTEGER PRIMARY KEY, p_name TEXT, p_mfgr TEXT, p_brand TEXT,
  p_type TEXT, p_size INTEGER, p_container TEXT, p_retailprice REAL, p_comment TEXT);
CREATE TABLE supplier(s_suppkey INTEGER PRIMARY KEY, s_name TEXT, s_address TEXT,
  s_nationkey INTEGER REFERENCES nation, s_phone TEXT, s_acctbal REAL, s_comment TEXT);
CREATE TABLE partsupp(ps_partkey INTEGER REFERENCES part, ps_suppkey INTEGER REFERENCES supplier,
  ps_availqty INTEGER, ps_supplycost REAL, ps_comment TEXT,
  PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE customer(c_custkey INTEGER PRIMARY KEY, c_name TEXT, c_address TEXT,
  c_nationkey INTEGER REFERENCES nation, c_phone TEXT, c_acctbal REAL, c_mktsegment TEXT,
  c_comment TEXT);
CREATE TABLE orders(o_orderkey INTEGER PRIMARY KEY, o_custkey INTEGER REFERENCES customer,
  o_orderstatus TEXT, o_totalprice REAL, o_orderdate TEXT, o_orderpriority TEXT, o_clerk TEXT,
  o_shippriority INTEGER, o_comment TEXT);
CREATE TABLE lineitem(l_orderkey INTEGER REFERENCES orders, l_partkey INTEGER REFERENCES part,
  l_suppkey INTEGER REFERENCES supplier, l_linenumber INTEGER, l_quantity REAL,
  l_extendedprice REAL, l_discount REAL, l_tax REAL, l_returnflag TEXT, l_linestatus TEXT,
  l_shipdate TEXT, l_commitdate TEXT, l_receiptdate TEXT, l_shipinstruct TEXT, l_shipmode TEXT,
  l_comment TEXT, PRIMARY KEY (l_orderkey, l_linenumber));
CREATE INDEX lineitem_part ON lineitem(l_partkey, l_suppkey);
CREATE INDEX orders_customer ON orders(o_custkey);
CREATE INDEX customer_nation ON customer(c_nationkey);
CREATE INDEX supplier_nation ON supplier(s_nationkey);
";

const REGIONS: [&str; 5] = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"];
const NATIONS: [(&str, usize); 25] = [
    ("ALGERIA", 0),
    ("ARGENTINA", 1),
    ("BRAZIL", 1),
    ("CANADA", 1),
    ("EGYPT", 4),
    ("ETHIOPIA", 0),
    ("FRANCE", 3),
    ("GERMANY", 3),
    ("INDIA", 2),
    ("INDONESIA", 2),
    ("IRAN", 4),
    ("IRAQ", 4),
    ("JAPAN", 2),
    ("JORDAN", 4),
    ("KENYA", 0),
    ("MOROCCO", 0),
    ("MOZAMBIQUE", 0),
    ("PERU", 1),
    ("CHINA", 2),
    ("ROMANIA", 3),
    ("SAUDI ARABIA", 4),
    ("VIETNAM", 2),
    ("RUSSIA", 3),
    ("UNITED KINGDOM", 3),
    ("UNITED STATES", 1),
];
const COLORS: [&str; 12] = [
    "almond", "azure", "blue", "forest", "green", "ivory", "lemon", "navy", "peach", "red",
    "salmon", "white",
];
const TYPE_SIZES: [&str; 6] = ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"];
const TYPE_FINISHES: [&str; 5] = ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"];
const TYPE_METALS: [&str; 5] = ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"];
const CONTAINER_SIZES: [&str; 5] = ["SM", "LG", "MED", "JUMBO", "WRAP"];
const CONTAINERS: [&str; 8] = ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"];
const SEGMENTS: [&str; 5] = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"];
const PRIORITIES: [&str; 5] = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"];
const INSTRUCTIONS: [&str; 4] = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"];
const MODES: [&str; 7] = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"];
const WORDS: [&str; 10] = [
    "quickly",
    "special",
    "pending",
    "requests",
    "deposits",
    "Customer",
    "Complaints",
    "ideas",
    "accounts",
    "final",
];

/// Rows of one INSERT.
const BATCH: usize = 200;
/// The first order's day, and how many days orders span.
const FIRST_DAY: (i64, i64) = (8035, 2405);
/// Orders behind this day are open (1995-06-17).
const CURRENT_DAY: i64 = 9298;

/// Makes the statements that fill the tables; `scale` is thousandths of the benchmark's unit.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    suppliers: i64,
    parts: i64,
    customers: i64,
    orders: i64,
    statements: Vec<String>,
}

impl Generator {
    /// A generator for a seed and a scale.
    pub fn new(seed: u64, scale: i64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            suppliers: 10 * scale,
            parts: 200 * scale,
            customers: 150 * scale,
            orders: 1500 * scale,
            statements: Vec::new(),
        }
    }

    /// All statements, each an INSERT of many rows.
    pub fn statements(mut self) -> Vec<String> {
        self.fixed();
        self.parts_and_suppliers();
        self.customers();
        self.orders();
        self.statements
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.rng.usize(..list.len())]
    }

    fn comment(&mut self) -> String {
        let words: Vec<&str> = (0..self.rng.usize(2..7)).map(|_| self.pick(&WORDS)).collect();
        words.join(" ")
    }

    fn cents(&mut self, low: i64, high: i64) -> String {
        let cents = self.rng.i64(low * 100..=high * 100);
        money(cents)
    }

    fn phone(&mut self, nation: i64) -> String {
        let (first, second, third) =
            (self.rng.u16(100..1000), self.rng.u16(100..1000), self.rng.u16(1000..10000));
        format!("{}-{first}-{second}-{third}", nation + 10)
    }

    fn insert(&mut self, table: &str, rows: &[String]) {
        for batch in rows.chunks(BATCH) {
            self.statements.push(format!("INSERT INTO {table} VALUES {}", batch.join(",")));
        }
    }

    fn fixed(&mut self) {
        let mut rows = Vec::new();
        for (key, name) in REGIONS.iter().enumerate() {
            rows.push(format!("({key},'{name}','{}')", self.comment()));
        }
        self.insert("region", &rows);
        rows.clear();
        for (key, (name, region)) in NATIONS.iter().enumerate() {
            rows.push(format!("({key},'{name}',{region},'{}')", self.comment()));
        }
        self.insert("nation", &rows);
    }

    fn parts_and_suppliers(&mut self) {
        let mut rows = Vec::new();
        for key in 1..=self.parts {
            let name =
                format!("{} {} {}", self.pick(&COLORS), self.pick(&COLORS), self.pick(&COLORS));
            let maker = self.rng.u8(1..=5);
            let brand = self.rng.u8(1..=5);
            let kind = format!(
                "{} {} {}",
                self.pick(&TYPE_SIZES),
                self.pick(&TYPE_FINISHES),
                self.pick(&TYPE_METALS)
            );
            let size = self.rng.u8(1..=50);
            let container = format!("{} {}", self.pick(&CONTAINER_SIZES), self.pick(&CONTAINERS));
            let price = money(retail_cents(key));
            rows.push(format!(
                "({key},'{name}','Manufacturer#{maker}','Brand#{maker}{brand}','{kind}',{size},\
                 '{container}',{price},'{}')",
                self.comment()
            ));
        }
        self.insert("part", &rows);
        rows.clear();
        for key in 1..=self.suppliers {
            let nation = self.rng.i64(0..25);
            let (phone, balance) = (self.phone(nation), self.cents(-999, 9999));
            rows.push(format!(
                "({key},'Supplier#{key:09}','address {key}',{nation},'{phone}',{balance},'{}')",
                self.comment()
            ));
        }
        self.insert("supplier", &rows);
        rows.clear();
        for part in 1..=self.parts {
            for place in 0..4 {
                let supplier = self.supplier_of(part, place);
                let (quantity, cost) = (self.rng.u16(1..=9999), self.cents(1, 1000));
                rows.push(format!("({part},{supplier},{quantity},{cost},'{}')", self.comment()));
            }
        }
        self.insert("partsupp", &rows);
    }

    /// The four suppliers of a part are different ones.
    fn supplier_of(&self, part: i64, place: i64) -> i64 {
        (part + place * (self.suppliers / 4)) % self.suppliers + 1
    }

    fn customers(&mut self) {
        let mut rows = Vec::new();
        for key in 1..=self.customers {
            let nation = self.rng.i64(0..25);
            let (phone, balance) = (self.phone(nation), self.cents(-999, 9999));
            let segment = self.pick(&SEGMENTS);
            rows.push(format!(
                "({key},'Customer#{key:09}','address {key}',{nation},'{phone}',{balance},\
                 '{segment}','{}')",
                self.comment()
            ));
        }
        self.insert("customer", &rows);
    }

    fn orders(&mut self) {
        let (mut orders, mut items) = (Vec::new(), Vec::new());
        for key in 1..=self.orders {
            // Every third customer never orders.
            let customer = self.rng.i64(0..self.customers / 3) * 3 + self.rng.i64(1..=2);
            let day = FIRST_DAY.0 + self.rng.i64(0..FIRST_DAY.1);
            let count = self.rng.i64(1..=7);
            let mut total = 0;
            let mut open = 0;
            for line in 1..=count {
                let (price, is_open) = self.item(key, line, day, &mut items);
                total += price;
                open += i64::from(is_open);
            }
            let status = match open {
                0 => "F",
                open if open == count => "O",
                _ => "P",
            };
            let priority = self.pick(&PRIORITIES);
            let clerk = self.rng.i64(1..=1000);
            orders.push(format!(
                "({key},{customer},'{status}',{},'{}','{priority}','Clerk#{clerk:09}',0,'{}')",
                money(total),
                date(day),
                self.comment()
            ));
        }
        self.insert("orders", &orders);
        self.insert("lineitem", &items);
    }

    fn item(&mut self, order: i64, line: i64, day: i64, rows: &mut Vec<String>) -> (i64, bool) {
        let part = self.rng.i64(1..=self.parts);
        let place = self.rng.i64(0..4);
        let supplier = self.supplier_of(part, place);
        let quantity = self.rng.i64(1..=50);
        let price = quantity * retail_cents(part);
        let (discount, tax) = (self.rng.i64(0..=10), self.rng.i64(0..=8));
        let ship = day + self.rng.i64(1..=121);
        let commit = day + self.rng.i64(30..=90);
        let receipt = ship + self.rng.i64(1..=30);
        let returned = if receipt <= CURRENT_DAY { self.pick(&["R", "A"]) } else { "N" };
        let is_open = ship > CURRENT_DAY;
        let status = if is_open { "O" } else { "F" };
        let (instruction, mode) = (self.pick(&INSTRUCTIONS), self.pick(&MODES));
        rows.push(format!(
            "({order},{part},{supplier},{line},{quantity}.0,{},0.{discount:02},0.{tax:02},\
             '{returned}','{status}','{}','{}','{}','{instruction}','{mode}','{}')",
            money(price),
            date(ship),
            date(commit),
            date(receipt),
            self.comment()
        ));
        (price * (100 - discount) / 100 * (100 + tax) / 100, is_open)
    }
}

fn retail_cents(part: i64) -> i64 {
    90_000 + (part / 10) % 20_001 + 100 * (part % 1000)
}

fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// A day counted from 1970 as text.
fn date(day: i64) -> String {
    // Civil date from days, in eras of 400 years that begin with March.
    let shifted = day + 719_468;
    let (era, in_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let day = in_year - (153 * month + 2) / 5 + 1;
    let (month, year) = if month < 10 { (month + 3, year) } else { (month - 9, year + 1) };
    format!("{:04}-{month:02}-{day:02}", year + era * 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(FIRST_DAY.0), "1992-01-01");
        assert_eq!(date(CURRENT_DAY), "1995-06-17");
        assert_eq!(date(11_016), "2000-02-29");
    }
}
