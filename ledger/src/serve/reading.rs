//! Places, proofs, histories, rows.

use super::entitle::{Asker, CHECKPOINT_RUNGS, Credentials, HISTORY_RUNGS};
use super::live::ReceiptOf;
use super::{Fault, Services, finality, history, metrics, now, wire};
use crate::reads::Proved;
use chartroll_core::key::Key;
use chartroll_core::row::{Index, Table};
use chartroll_proto::convert;
use chartroll_proto::limits::{
    BATCHES_PER_ANSWER, BATCHES_PER_ANSWER_MAX, CONSENTS_PER_ANSWER_MAX, PAGES_PER_ANSWER_MAX,
};
use chartroll_proto::problem::Missing;
use chartroll_proto::v1::get_receipt_request::By;
use chartroll_proto::v1::reading_server::Reading;
use chartroll_proto::v1::{
    Batch, GetBatchRequest, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyRequest, GetConsistencyResponse,
    GetFinalityRequest, GetFinalityResponse, GetHistoryRequest, GetHistoryResponse, GetInclusionRequest,
    GetInclusionResponse, GetPagesRequest, GetPagesResponse, GetReceiptRequest, GetReceiptResponse, ListBatchesRequest,
    ListBatchesResponse, ListConsentsRequest, ListConsentsResponse, Problem, ResolvePatientRequest,
    ResolvePrincipalRequest, ResolveResponse,
};
use futures_util::stream::BoxStream;
use prost::bytes::Bytes;
use std::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status};

#[tonic::async_trait]
impl Reading for Services {
    async fn get_receipt(&self, request: Request<GetReceiptRequest>) -> Result<Response<GetReceiptResponse>, Status> {
        let with = self.credentials(&request);
        let request = request.into_inner();
        self.answer("GetReceipt", move |services| services.receipt(&request, with)).await
    }

    async fn get_finality(
        &self,
        request: Request<GetFinalityRequest>,
    ) -> Result<Response<GetFinalityResponse>, Status> {
        let sequence = request.into_inner().sequence;
        self.answer("GetFinality", move |services| wire::finality(&services.ledger, sequence)).await
    }

    type WatchFinalityStream = BoxStream<'static, Result<GetFinalityResponse, Status>>;

    async fn watch_finality(
        &self,
        request: Request<GetFinalityRequest>,
    ) -> Result<Response<Self::WatchFinalityStream>, Status> {
        let standing = self.watch("WatchFinality")?;
        Ok(Response::new(Box::pin(finality::watch(self, request.into_inner().sequence, standing))))
    }

    async fn get_checkpoint(
        &self,
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let rung = request.into_inner().rung;
        self.answer("GetCheckpoint", move |services| services.checkpoint(rung)).await
    }

    async fn get_inclusion(
        &self,
        request: Request<GetInclusionRequest>,
    ) -> Result<Response<GetInclusionResponse>, Status> {
        let request = request.into_inner();
        self.answer("GetInclusion", move |services| services.inclusion(request)).await
    }

    async fn get_consistency(
        &self,
        request: Request<GetConsistencyRequest>,
    ) -> Result<Response<GetConsistencyResponse>, Status> {
        let request = request.into_inner();
        self.answer("GetConsistency", move |services| services.consistency(request)).await
    }

    type GetHistoryStream = ReceiverStream<Result<GetHistoryResponse, Status>>;

    async fn get_history(
        &self,
        request: Request<GetHistoryRequest>,
    ) -> Result<Response<Self::GetHistoryStream>, Status> {
        let (started, with) = (Instant::now(), self.credentials(&request));
        let answer = history::stream(self, request.into_inner(), with).await;
        let code = answer.as_ref().map_or_else(Problem::code, |_| Code::Ok);
        metrics::called("GetHistory", code, started.elapsed());
        answer.map(Response::new).map_err(Status::from)
    }

    async fn resolve_principal(
        &self,
        request: Request<ResolvePrincipalRequest>,
    ) -> Result<Response<ResolveResponse>, Status> {
        let with = self.credentials(&request);
        let request = request.into_inner();
        self.answer("ResolvePrincipal", move |services| services.principal(&request, with)).await
    }

    async fn resolve_patient(
        &self,
        request: Request<ResolvePatientRequest>,
    ) -> Result<Response<ResolveResponse>, Status> {
        let with = self.credentials(&request);
        let request = request.into_inner();
        self.answer("ResolvePatient", move |services| services.patient(&request, with)).await
    }

    async fn list_consents(
        &self,
        request: Request<ListConsentsRequest>,
    ) -> Result<Response<ListConsentsResponse>, Status> {
        let with = self.credentials(&request);
        let request = request.into_inner();
        self.answer("ListConsents", move |services| services.consents(&request, with)).await
    }

    async fn get_batch(&self, request: Request<GetBatchRequest>) -> Result<Response<Batch>, Status> {
        let number = request.into_inner().number;
        self.answer("GetBatch", move |services| services.batch(number)).await
    }

    async fn list_batches(
        &self,
        request: Request<ListBatchesRequest>,
    ) -> Result<Response<ListBatchesResponse>, Status> {
        let request = request.into_inner();
        self.answer("ListBatches", move |services| services.batches(request)).await
    }

    async fn get_pages(&self, request: Request<GetPagesRequest>) -> Result<Response<GetPagesResponse>, Status> {
        let with = self.credentials(&request);
        let request = request.into_inner();
        self.answer("GetPages", move |services| services.pages(&request, with)).await
    }
}

fn not_found(what: Missing) -> Fault {
    Problem::not_found(what).into()
}

/// The answers. Each may wait for the state.
impl Services {
    fn credentials<T>(&self, request: &Request<T>) -> Credentials {
        Credentials { client: self.clients.of(request), now: now() }
    }

    fn receipt(&self, request: &GetReceiptRequest, with: Credentials) -> Result<GetReceiptResponse, Fault> {
        let of = match &request.by {
            Some(By::SignerNonce(by)) => {
                Asker::of(&self.ledger, request, with)?.check_signer(&self.ledger, by.signer)?;
                ReceiptOf::SignerNonce { signer: by.signer, nonce: by.nonce }
            }
            Some(By::Digest(digest)) => ReceiptOf::Digest(convert::hash("digest", digest)?),
            None => return Err(Problem::bad_field("by", "neither signer and nonce nor a digest").into()),
        };
        let accepted = self.live.receipt(of)?.ok_or_else(|| not_found(Missing::Receipt))?;
        Ok(GetReceiptResponse { accepted: Some(accepted) })
    }

    fn checkpoint(&self, rung: i32) -> Result<GetCheckpointResponse, Fault> {
        let rung = convert::rung("rung", rung, CHECKPOINT_RUNGS)?;
        let ledger = &self.ledger;
        let ((), checkpoint) = wire::under(ledger, rung, |state| Ok(ledger.checkpoint(state)?.map(|at| ((), at))))?;
        Ok(wire::checkpoint(&checkpoint))
    }

    /// A size that a request names, or that of the log at a rung.
    fn size(&self, named: u64, rung: i32) -> Result<u64, Fault> {
        if named != 0 {
            return Ok(named);
        }
        let rung = convert::rung("rung", rung, CHECKPOINT_RUNGS)?;
        let ledger = &self.ledger;
        let ((), checkpoint) = wire::under(ledger, rung, |state| Ok(ledger.checkpoint(state)?.map(|at| ((), at))))?;
        Ok(checkpoint.meta.next_sequence)
    }

    fn inclusion(&self, request: GetInclusionRequest) -> Result<GetInclusionResponse, Fault> {
        let size = self.size(request.size, request.rung)?;
        let found = self.ledger.inclusion(request.sequence, size)?;
        let (leaf, inclusion) = found.ok_or_else(|| not_found(Missing::Sequence))?;
        Ok(GetInclusionResponse { inclusion: inclusion.encode().into(), leaf: convert::bytes(&leaf) })
    }

    fn consistency(&self, request: GetConsistencyRequest) -> Result<GetConsistencyResponse, Fault> {
        let second = self.size(request.second, request.rung)?;
        let found = self.ledger.consistency(request.first, second)?;
        let consistency = found.ok_or_else(|| not_found(Missing::Sequence))?;
        Ok(GetConsistencyResponse { consistency: consistency.encode().into() })
    }

    fn principal(&self, request: &ResolvePrincipalRequest, with: Credentials) -> Result<ResolveResponse, Fault> {
        let key = match request.key.len() {
            20 => Key::Secp256k1(convert::address("key", &request.key)?),
            64 => Key::P256(convert::array("key", &request.key)?),
            _ => return Err(Problem::bad_field("key", "neither 20 bytes nor 64").into()),
        };
        Asker::of(&self.ledger, request, with)?;
        let found = self.ledger.principal_by_key(&key)?;
        let (row, principal) = found.ok_or_else(|| not_found(Missing::Row))?;
        let next_nonce = self.live.next_nonce(row).unwrap_or(principal.nonce);
        self.resolved(Index::new(Table::Principals, row), next_nonce)
    }

    fn patient(&self, request: &ResolvePatientRequest, with: Credentials) -> Result<ResolveResponse, Fault> {
        let pseudonym = convert::hash("pseudonym", &request.pseudonym)?;
        let asker = Asker::of(&self.ledger, request, with)?;
        let Some(row) = self.ledger.patient_by_pseudonym(request.org, &pseudonym) else {
            asker.check_org(request.org)?;
            return Err(not_found(Missing::Patient));
        };
        asker.check_patient(&self.ledger, row, with.now)?;
        self.resolved(Index::new(Table::Patients, row), 0)
    }

    fn consents(&self, request: &ListConsentsRequest, with: Credentials) -> Result<ListConsentsResponse, Fault> {
        Asker::of(&self.ledger, request, with)?.check_patient(&self.ledger, request.patient, with.now)?;
        let rung = convert::rung("rung", request.rung, HISTORY_RUNGS)?;
        let found = |state| {
            let consents = self.ledger.consents_of(state, request.patient, CONSENTS_PER_ANSWER_MAX)?;
            Ok(consents.map(|(rows, Proved { witness, checkpoint })| ((rows, witness), checkpoint)))
        };
        let ((rows, witness), checkpoint) = wire::under(&self.ledger, rung, found)?;
        let checkpoint = Some(wire::checkpoint(&checkpoint));
        Ok(ListConsentsResponse { rows, witness: witness.encode().into(), checkpoint })
    }

    fn resolved(&self, index: Index, next_nonce: u64) -> Result<ResolveResponse, Fault> {
        let proved = self.ledger.prove(crate::progress::Rung::Executed, &[index])?;
        let proved = proved.ok_or_else(|| not_found(Missing::Root))?;
        Ok(wire::resolved(index.row, &proved, next_nonce))
    }

    fn batch(&self, number: u64) -> Result<Batch, Fault> {
        let record = self.ledger.batch(number)?.ok_or_else(|| not_found(Missing::Batch))?;
        Ok(wire::batch(&record, &self.ledger.progress()))
    }

    fn batches(&self, request: ListBatchesRequest) -> Result<ListBatchesResponse, Fault> {
        let limit = match request.limit {
            0 => BATCHES_PER_ANSWER,
            limit if limit <= BATCHES_PER_ANSWER_MAX => limit,
            _ => return Err(Problem::bad_field("limit", format!("more than {BATCHES_PER_ANSWER_MAX}")).into()),
        };
        let records = self.ledger.batches(request.from, limit as usize)?;
        let progress = self.ledger.progress();
        Ok(ListBatchesResponse { batches: records.iter().map(|record| wire::batch(record, &progress)).collect() })
    }

    fn pages(&self, request: &GetPagesRequest, with: Credentials) -> Result<GetPagesResponse, Fault> {
        if request.count == 0 || request.count > PAGES_PER_ANSWER_MAX {
            return Err(Problem::bad_field("count", format!("not between 1 and {PAGES_PER_ANSWER_MAX}")).into());
        }
        Asker::of(&self.ledger, request, with)?.check_member()?;
        let record = self.ledger.batch(request.batch)?.ok_or_else(|| not_found(Missing::Batch))?;
        let (first, end) = (u64::from(request.first), u64::from(request.first) + u64::from(request.count));
        if end > u64::from(record.header.pages) {
            return Err(not_found(Missing::Page));
        }
        let pages = (record.first_page + first)..(record.first_page + end);
        let pages = pages.map(|number| {
            let page = self.ledger.page(number)?.ok_or_else(|| not_found(Missing::Page))?;
            Ok(Bytes::copy_from_slice(page.bytes()))
        });
        Ok(GetPagesResponse { pages: pages.collect::<Result<Vec<Bytes>, Fault>>()? })
    }
}
