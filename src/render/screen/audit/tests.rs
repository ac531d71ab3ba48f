//! Goldens.

use std::collections::BTreeSet;

use super::super::{AuditScreen, DiffScreen};
use super::By;
use crate::domain::audit::{audit, diff, testing};
use crate::domain::fleet::DrivenBy;
use crate::render::{Document, Format, Frame, Printed};

fn wide(document: &Document) -> Printed {
    let frame = Frame {
        wide: true,
        ..Frame::PIPE
    };
    document
        .print(Format::Wide, None, &frame, &Frame::PIPE)
        .unwrap()
}

fn screen(by: By, read: impl Fn(&AuditScreen<'_>) -> Printed) -> Printed {
    let capture = testing::acme();
    let expect = BTreeSet::from([DrivenBy::Flux]);
    let audit = audit(&capture, &expect).unwrap();
    let screen = AuditScreen {
        capture: &capture,
        audit: &audit,
        by,
        expect: &expect,
        saved: None,
    };
    read(&screen)
}

fn census(by: By) -> Printed {
    screen(by, |screen| wide(&screen.document()))
}

#[test]
fn a_row_a_cluster() {
    let printed = census(By::Cluster);
    assert_eq!(
        printed.stdout,
        "\
CLUSTER   RELEASES   APPLY   UPDATE   ALIAS   FOREIGN   UNREAD   UNOWNED   OUTLIERS
edge-1    ?          ?       ?        ?       ?         ?        ?         Unreachable: token expired
eu-1      2          1       1        0       0         0        1         shop/ledger slid back to CSA
eu-2      3          0       1        1       1         0        0         Go-http-client on 1; helm-controller on 1 (flux)
"
    );
    assert_eq!(
        printed.stderr,
        "\
1 of 5 releases under helm/Apply (20.0%): 2 Update, 1 alias, 1 foreign. 2 of 3 clusters, 0 writes.
Slid back: eu-1/shop/ledger, revision 3 of 2027-01-03T14:22Z records no apply method: Helm 3 wrote it; revision 2 was ssa; helm/Apply and helm/Update stand side by side on 1 object, last written 2027-01-03T14:22Z.
gate one-manager: FAIL, 3 releases (1 helm/Update, 1 alias, 1 slid back, not read: edge-1, 1 expected elsewhere and not asked)
warning: edge-1 not read: token expired
Next: refit audit eu-1/shop/ledger        what moved it; pipelines that still run Helm 3 do it again
      refit plan --save refit.plan.json   what can be migrated, and what is held
"
    );
}

#[test]
fn a_row_a_chart_an_owner_a_manager() {
    assert_eq!(
        census(By::Chart).stdout,
        "\
CHART     CLUSTERS   RELEASES   APPLY   UPDATE   ALIAS   FOREIGN   UNREAD   UNOWNED   OUTLIERS
ledger    1          1          0       1        0       0         0        1         eu-1/shop/ledger slid back to CSA
unknown   1          1          0       0        0       1         0        0         helm-controller on 1 (flux)
web       2          3          1       1        1       0         0        0         Go-http-client on 1
"
    );
    assert_eq!(
        census(By::Owner).stdout,
        "\
OWNER            CLUSTERS   RELEASES   APPLY   UPDATE   ALIAS   FOREIGN   UNREAD   UNOWNED   OUTLIERS
flux(expected)   1          1          0       0        0       1         0        0         helm-controller on 1 (flux)
helm             2          4          1       2        1       0         0        1         Go-http-client on 1; eu-1/shop/ledger slid back to CSA
"
    );
    assert_eq!(
        census(By::Manager).stdout,
        "\
MANAGER           OPERATION   CLASS       RELEASES   CLUSTERS   OBJECTS   FIELDS
helm              Apply       canonical   2          1          4         4
helm              Update      canonical   2          2          2         2
Go-http-client    Update      alias       1          1          1         1
helm-controller   Update      applier     1          1          1         1
kubectl-edit      Update      co-owner    1          1          1         1
"
    );
}

#[test]
fn one_release_with_what_moved_it() {
    let id = "eu-1/shop/ledger".parse().unwrap();
    let printed = screen(By::Cluster, |screen| wide(&screen.release(&id).unwrap()));
    assert_eq!(
        printed.stdout,
        "\
eu-1/shop/ledger  chart ledger 1.0.0

REVISION   STATUS     APPLY   WRITER   AT
3          deployed   unset   Helm     2027-01-03T14:22:09Z
2          deployed   ssa     refit    2027-01-02T14:22:09Z
1          deployed   unset   Helm     2027-01-01T14:22:09Z

OBJECT          NAMESPACE   CLASS    UNOWNED   OWNERS
Deployment/d0   shop        Update   0         helm/Apply 1, helm/Update 1, kubectl-edit/Update 1
Deployment/d1   shop        Apply    1         helm/Apply 1
"
    );
    assert_eq!(
        printed.stderr,
        "\
2 objects, 1 of them under helm/Update; 1 field of the manifest without an owner, 0 writes.
Slid back: revision 3 of 2027-01-03T14:22Z records no apply method: Helm 3 wrote it; revision 2 was ssa; helm/Apply and helm/Update stand side by side on 1 object, last written 2027-01-03T14:22Z.
    Deployment/d0 in shop: helm/Update wrote 2027-01-03T14:22:09Z, 1 field beside helm/Apply
The user stands in the API server's audit log: create of sh.helm.release.v1.ledger.v3 in shop.
Next: refit fields eu-1/shop/deployment/d0   field by field
"
    );
}

#[test]
fn two_days() {
    let before = testing::acme();
    let mut after = before.clone();
    after.taken_at = "2027-01-15T10:00:00Z".parse().unwrap();
    let web = &mut after.releases[2];
    let entry = &mut web.objects[0].entries[0].head;
    (entry.manager, entry.operation) = ("helm".into(), "Apply".into());
    web.records[0].apply_method = Some("ssa".into());
    after.releases[1].objects[0].entries.pop();
    after.releases.remove(3);
    let diff = diff(&before, &after).unwrap();
    let screen = DiffScreen {
        before: &before,
        after: &after,
        diff: &diff,
    };
    let printed = wide(&screen.document());
    assert_eq!(
        printed.stdout,
        "\
RELEASE            OBJECT          CHANGE         FIELDS   BEFORE                  AFTER            NAMES
eu-1/shop/ledger   Deployment/d0   owner          1        kubectl-edit/Update     <none>           .spec.paused
eu-2/shop/api      <none>          gone-release   <none>   <none>                  <none>           <none>
eu-2/shop/web      <none>          class          <none>   Alias                   Apply            <none>
eu-2/shop/web      <none>          revision       <none>   1/unset/deployed        1/ssa/deployed   <none>
eu-2/shop/web      Deployment/d0   owner          1        Go-http-client/Update   helm/Apply       .spec.replicas
"
    );
    assert_eq!(
        printed.stderr,
        "\
3 of 5 releases changed: 0 new, 1 gone. 2 fields changed owner on 2 objects; 1 entry came, 2 went.
Between 2027-01-13T10:00:00Z and 2027-01-15T10:00:00Z. 0 writes.
warning: edge-1 is not compared: one of the two did not read it
"
    );
    let json = screen.document().to_json();
    assert_eq!(json["items"].as_array().unwrap().len(), 3);
    assert_eq!(json["summary"]["fields"], 2);
}
