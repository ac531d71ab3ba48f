//! A plan that has everything a plan may have: each key of the schema is in it.
#![cfg(test)]

use serde_json::{Value, json};

/// The plan as JSON. Its digest and seals are made up: it can be read, and not be run.
pub(super) fn plan() -> Value {
    let object =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": "web"});
    let reason = json!({"cause": "active-conflict", "object": object, "detail": "kubectl owns .spec.replicas"});
    json!({
        "apiVersion": "refit.dev/v1",
        "kind": "Plan",
        "metadata": metadata(),
        "waves": waves(&object, &reason),
        "held": [{"release": "eu-1/shop/pay", "outcome": "Blocked", "reasons": [reason], "until": "somebody decides"}],
        "done": ["eu-1/shop/done"],
        "unread": {"eu-2": "no route"},
        "untested": [{"signature": "web 1.0.0, Deployment", "wave": 1, "first": "eu-1/shop/web", "releases": 2, "why": "too risky"}],
        "calendar": {
            "done": "2026-11-25T08:02:00Z", "slackDays": -3, "writingSeconds": 120,
            "late": [{"wave": 1, "releases": 1, "clusters": ["eu-1"], "done": "2026-11-25T08:02:00Z"}],
        },
        "relaxations": [{"change": ["soak.prod 72h -> 48h"], "done": "2026-11-24", "gainDays": 1, "inTime": true}],
        "summary": {
            "migrate": 1, "needsChoice": 0, "blocked": 1, "waiting": 1, "done": 1, "objects": 2, "writes": 5,
            "valueChanges": 1,
        },
        "seals": {
            "metadata": "m", "waves": ["w"], "held": "h", "done": "d", "unread": "u", "summary": "s", "calendar": "c",
            "relaxations": "r", "untested": "t",
        },
    })
}

fn metadata() -> Value {
    json!({
        "fleet": "acme",
        "digest": "9f31c2a4d8",
        "tool": "0.1.0",
        "madeAt": "2026-11-23T10:31:00Z",
        "lookedAt": "2026-11-23T10:30:00Z",
        "startBefore": "2026-11-30T10:31:00Z",
        "inputs": {"fleet.toml": "d1"},
        "managers": {"canonical": "helm", "aliases": ["Go-http-client"]},
        "limits": {"eu-1": {"writesPerSecond": 4, "inFlight": 4}},
        "writesPerSecond": 20,
        "deadline": "2027-02-10",
        "timezone": "Europe/Berlin",
        "settings": settings(),
        "clusters": {"eu-1": {"labels": {"env": "prod"}, "timezone": "Europe/Berlin", "windows": ["office"]}},
        "policies": [{
            "place": "fleet.toml:20", "kind": ["Deployment"], "field": [".spec.replicas"], "owner": ["kubectl*"],
            "namespace": ["shop"], "labels": {"env": "prod"}, "chart": ["web"], "action": "take", "why": "by hand",
        }],
        "labels": {"eu-1": {"env": "prod"}},
    })
}

fn waves(object: &Value, reason: &Value) -> Value {
    json!([{
        "number": 1, "name": "canary", "stage": 0, "part": 1, "lane": "eu-1", "after": [0],
        "starts": "2026-11-24T08:00:00Z", "ends": "2026-11-24T08:02:00Z", "soak": 3600, "approval": true,
        "coverage": {"seen": 1, "total": 2},
        "waitsFor": [{"kind": "window", "detail": "office", "until": "2026-11-24T08:00:00Z"}],
        "spans": [{"from": "2026-11-24T08:00:00Z", "to": "2026-11-24T08:02:00Z"}],
        "releases": [{
            "release": "eu-1/shop/web", "chart": {"name": "web", "version": "1.0.0"}, "driver": "secret", "revision": 3,
            "recordUid": "u-1", "objects": 2, "writes": 5, "reason": "covers 2 signatures", "labels": {"tier": "1"},
            "risk": {"score": 21, "dependents": 1, "replicas": 2, "tier": 3, "drift": 4, "hooks": 5, "age": 6},
            "needs": ["eu-1/ingress/nginx"],
            "notes": [reason],
            "decisions": [{
                "object": object, "subject": "active", "field": ".spec.replicas", "owner": "kubectl", "action": "take",
                "rule": {"place": "fleet.toml:20", "why": "by hand"}, "refused": "no key", "irreversible": true,
            }],
        }],
    }])
}

fn settings() -> Value {
    json!({
        "playbook": "canary",
        "stages": [
            {"name": "a", "selector": "env!=prod", "cut": "whole"},
            {"name": "b", "selector": "", "cut": {"sizes": [{"count": 5}, {"percent": 20}]}},
            {"name": "c", "selector": "", "cut": {"doubling": {"first": 4}}},
            {"name": "d", "selector": "", "cut": {"shares": [20, 80]}},
        ],
        "canary": {"type": "coverage", "selector": "env!=prod", "maxRisk": 30, "maxReleases": 50},
        "caps": [{"name": "clusters_per_region", "count": "clusters", "per": "region", "atMost": 1}],
        "peers": [
            {"name": "pair", "rule": {"sides": ["cluster=a", "cluster=b"]}},
            {"name": "same", "rule": {"same": {"group": "release", "side": "region"}}},
        ],
        "lanes": {"by": "cluster"},
        "risk": {
            "weights": {
                "dependents": 25, "replicas": 20, "drift": 15, "hooks": 15, "age": 10, "tiers": {"1": 20},
            },
            "tierLabel": "tier", "high": 30, "low": 10, "order": "lowFirst", "deferLowUntil": "2027-01-05",
        },
        "heldDependency": "goOn",
        "windows": windows(),
        "freezes": freezes(),
        "soak": [{"name": "prod", "selector": "env=prod", "seconds": 3600}],
        "gates": gates(),
        "approvals": ["prod-*"],
        "budget": {"failed": 0, "undone": 3, "conflictRate": 200, "spent": "undo-wave"},
        "cost": {"millisPerWrite": 250, "measured": {"eu-1": 180}},
        "seed": 0,
    })
}

fn windows() -> Value {
    json!({
        "office": {
            "rule": {"type": "weekly", "days": "Mon-Fri", "from": "09:00:00", "to": "17:00:00"}, "zone": "cluster",
        },
        "sunday": {
            "rule": {"type": "cron", "opens": "0 6 * * sun", "forSeconds": 3600}, "zone": {"named": "Europe/Berlin"},
        },
    })
}

fn freezes() -> Value {
    json!({
        "year-end": {"from": "2026-12-17", "to": "2027-01-04", "zone": "fleet", "selector": "env=prod"},
    })
}

fn gates() -> Value {
    json!([
        {"name": "a", "after": ["b*"], "check": {"type": "health", "withinSeconds": 900}},
        {"name": "b", "check": {"type": "conflictRate", "atMost": 200}},
        {"name": "c", "check": {"type": "ownership"}},
        {"name": "d", "check": {"type": "http", "url": "https://a.example", "status": 200}},
        {"name": "e", "check": {"type": "prometheus", "url": "https://a.example", "query": "up"}},
        {"name": "f", "check": {"type": "command", "argv": ["true"], "timeoutSeconds": 60}},
        {"name": "g", "check": {"type": "plugin", "name": "board"}},
    ])
}
