//! Names that a seed decides.

/// A generator of numbers that are the same on every machine for the same seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }

    /// Puts the items into another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// What teams call their namespaces.
pub const NAMESPACES: [&str; 7] = [
    "payments",
    "storefront",
    "logistics",
    "identity",
    "analytics",
    "platform",
    "support",
];

const SUBJECTS: [&str; 40] = [
    "account",
    "address",
    "audit",
    "basket",
    "billing",
    "catalogue",
    "checkout",
    "claims",
    "coupon",
    "courier",
    "customer",
    "delivery",
    "discount",
    "email",
    "export",
    "feedback",
    "fraud",
    "gateway",
    "import",
    "invoice",
    "ledger",
    "login",
    "mailer",
    "metrics",
    "notify",
    "orders",
    "parcel",
    "payout",
    "pricing",
    "profile",
    "quota",
    "rating",
    "refund",
    "report",
    "returns",
    "search",
    "session",
    "stock",
    "tax",
    "voucher",
];

const PARTS: [&str; 8] = [
    "api", "core", "sync", "store", "feed", "hub", "desk", "flow",
];

/// `count` different names.
pub fn releases(dice: &mut Dice, count: usize) -> Vec<String> {
    let mut names: Vec<String> = SUBJECTS
        .iter()
        .flat_map(|subject| PARTS.iter().map(move |part| format!("{subject}-{part}")))
        .collect();
    dice.shuffle(&mut names);
    // More releases than names: the names come again, numbered.
    (0..count)
        .map(|at| {
            let name = names
                .get(at % names.len())
                .map_or("release", String::as_str);
            if at < names.len() {
                name.to_owned()
            } else {
                format!("{name}-{}", at / names.len() + 1)
            }
        })
        .collect()
}
