//! `serve`: answers, limits, access, signals, and clients of others.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod access;
mod answers;
mod clients;
#[path = "../common/mod.rs"]
mod common;
mod hostile;
mod running;
mod signals;

use roentgen_test_support::test_file;

use access::*;
use answers::*;
use clients::*;
use hostile::*;
use signals::*;

test_file![
    the_numbers_of_predict_are_served_alone_and_among_others,
    onnx_runtime_gives_the_same_bits_alone_and_among_others,
    an_ensemble_answers_with_the_mean_of_its_models,
    a_heat_map_is_a_picture_or_numbers,
    requests_that_make_no_sense_get_a_reason,
    metrics_and_log_count_requests_and_name_no_film,
    hostile_films_are_refused_and_the_server_lives,
    hostile_requests_are_refused_and_the_server_lives,
    a_full_queue_says_when_to_ask_again,
    others_are_let_in_only_with_token_or_tls,
    a_token_opens_and_health_needs_none,
    a_web_page_of_another_name_is_refused,
    films_are_predicted_over_tls,
    a_stopped_server_finishes_what_it_took,
    a_model_is_loaded_again_and_a_broken_one_is_not,
    the_client_of_triton_gets_the_numbers_of_predict,
    curl_gets_an_answer_by_the_lines_of_the_documentation,
    every_answer_is_as_the_openapi_document_says
];
