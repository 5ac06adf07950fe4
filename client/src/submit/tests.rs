use super::*;
use chartroll_core::refusal::{Reason, Refusal};
use chartroll_proto::v1::Problem;

#[test]
fn only_a_refusal_makes_it_sure_that_an_envelope_has_no_place() {
    let busy = SubmitError::Busy { limit: "intake".to_owned() };
    let gave_up = SubmitError::GaveUp { waited_ms: 5, last: Box::new(busy) };
    assert!(gave_up.is_open() && matches!(gave_up.last(), SubmitError::Busy { .. }));
    let problem = Problem::refused(&Refusal::of_envelope(Reason::Wrong));
    let Some(chartroll_proto::v1::problem::What::Refused(refused)) = problem.what else { panic!("a refusal") };
    let refused = SubmitError::Refused(Box::new(refused));
    assert!(!refused.is_open() && !refused.to_string().is_empty());
}
