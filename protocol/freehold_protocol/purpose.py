"""Purposes: the closed table of the Data Privacy Vocabulary (DPV 2.3), and which of them covers which.

Names and hierarchy are DPV's, the labels ours. ``dpv:Purpose`` is left out: any purpose at all is none.

Spec: specs/vocabulary.md#purposes
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from .errors import UndefinedTermError

_PREFIX: Final = "dpv:"
BROADER: Final[dict[str, tuple[str, ...]]] = {
    "AcademicResearch": ("ResearchAndDevelopment",),
    "AccountManagement": (),
    "Advertising": ("Marketing",),
    "AgeVerification": ("Verification",),
    "CombatClimateChange": ("PublicBenefit",),
    "CommercialPurpose": (),
    "CommercialResearch": ("CommercialPurpose", "ResearchAndDevelopment"),
    "CommunicationForCustomerCare": ("CommunicationManagement", "CustomerCare"),
    "CommunicationManagement": (),
    "CounterMoneyLaundering": ("FraudPreventionAndDetection",),
    "Counterterrorism": ("PublicBenefit",),
    "CustomerCare": ("CustomerManagement",),
    "CustomerClaimsManagement": ("CustomerManagement",),
    "CustomerManagement": (),
    "CustomerOrderManagement": ("CustomerManagement",),
    "CustomerRelationshipManagement": ("CustomerManagement",),
    "CustomerSolvencyMonitoring": ("CustomerManagement",),
    "DataAltruism": ("PublicBenefit",),
    "DeliveryOfGoods": ("RequestedServiceProvision",),
    "DirectMarketing": ("Marketing",),
    "DisputeManagement": ("OrganisationGovernance",),
    "EnforceAccessControl": ("EnforceSecurity",),
    "EnforceSecurity": (),
    "EstablishContractualAgreement": (),
    "FraudPreventionAndDetection": ("MisusePreventionAndDetection",),
    "FulfilmentOfContractualObligation": ("FulfilmentOfObligation",),
    "FulfilmentOfObligation": (),
    "HumanResourceManagement": (),
    "IdentityAuthentication": ("EnforceSecurity",),
    "IdentityVerification": ("Verification",),
    "ImproveExistingProductsAndServices": ("OptimisationForController",),
    "ImproveHealthcare": ("PublicBenefit",),
    "ImproveInternalCRMProcesses": ("CustomerRelationshipManagement", "OptimisationForController"),
    "ImprovePublicServices": ("PublicBenefit",),
    "ImproveTransportMobility": ("PublicBenefit",),
    "IncreaseServiceRobustness": ("OptimisationForController",),
    "InternalResourceOptimisation": ("OptimisationForController",),
    "LegalCompliance": ("FulfilmentOfObligation",),
    "MaintainFraudDatabase": ("FraudPreventionAndDetection",),
    "Marketing": (),
    "MemberPartnerManagement": ("OrganisationGovernance",),
    "MisusePreventionAndDetection": ("EnforceSecurity",),
    "NonCommercialPurpose": (),
    "NonCommercialResearch": ("NonCommercialPurpose", "ResearchAndDevelopment"),
    "OptimisationForConsumer": ("ServiceOptimisation",),
    "OptimisationForController": ("ServiceOptimisation",),
    "OptimiseUserInterface": ("OptimisationForConsumer",),
    "OrganisationComplianceManagement": ("OrganisationGovernance",),
    "OrganisationGovernance": (),
    "OrganisationRiskManagement": ("OrganisationGovernance",),
    "PaymentManagement": ("ServiceManagement",),
    "Personalisation": (),
    "PersonalisedAdvertising": ("Advertising", "Personalisation"),
    "PersonalisedBenefits": ("ServicePersonalisation",),
    "PersonnelBehaviourMonitoring": ("PersonnelMonitoring",),
    "PersonnelHiring": ("PersonnelManagement",),
    "PersonnelManagement": ("HumanResourceManagement",),
    "PersonnelMonitoring": ("PersonnelManagement",),
    "PersonnelOffboarding": ("PersonnelManagement",),
    "PersonnelOnboarding": ("PersonnelHiring",),
    "PersonnelPayment": ("PersonnelManagement",),
    "PersonnelPerformanceEvaluation": ("PersonnelPerformanceManagement",),
    "PersonnelPerformanceManagement": ("PersonnelManagement", "PersonnelMonitoring"),
    "PersonnelPerformanceMonitoring": ("PersonnelMonitoring", "PersonnelPerformanceManagement"),
    "PersonnelPerformancePrediction": ("PersonnelPerformanceManagement",),
    "PersonnelPromotionManagement": ("PersonnelManagement",),
    "PersonnelTerminationManagement": ("PersonnelManagement",),
    "PersonnelWorkloadManagement": ("PersonnelManagement",),
    "PoliticalCampaign": ("Advertising", "Personalisation"),
    "ProtectionOfIPR": ("FulfilmentOfObligation",),
    "ProtectionOfNationalSecurity": ("PublicBenefit",),
    "ProtectionOfPublicSecurity": ("PublicBenefit",),
    "ProvideEventRecommendations": ("ProvidePersonalisedRecommendations",),
    "ProvideOfficialStatistics": ("PublicBenefit",),
    "ProvidePersonalisedRecommendations": ("ServicePersonalisation",),
    "ProvideProductRecommendations": ("ProvidePersonalisedRecommendations",),
    "PublicBenefit": (),
    "PublicPolicyMaking": ("PublicBenefit",),
    "PublicRelations": ("Marketing",),
    "RecordManagement": (),
    "RecruitmentAdvertising": ("Advertising", "PersonnelHiring"),
    "RecruitmentApplicantBackgroundCheck": ("RecruitmentManagement",),
    "RecruitmentApplicantCriminalBackgroundCheck": ("RecruitmentManagement",),
    "RecruitmentApplicantInformationAuthentication": ("RecruitmentManagement",),
    "RecruitmentApplicantSelection": ("RecruitmentManagement",),
    "RecruitmentApplicationAnalysis": ("RecruitmentApplicationManagement",),
    "RecruitmentApplicationManagement": ("RecruitmentManagement",),
    "RecruitmentApplicationScreening": ("RecruitmentApplicationManagement",),
    "RecruitmentInterviewAnalysis": ("RecruitmentInterviewManagement",),
    "RecruitmentInterviewAssessment": ("RecruitmentInterviewManagement",),
    "RecruitmentInterviewManagement": ("RecruitmentManagement",),
    "RecruitmentInterviewScheduling": ("RecruitmentInterviewManagement",),
    "RecruitmentManagement": ("PersonnelHiring",),
    "RecruitmentTargetedAdvertising": ("RecruitmentAdvertising", "TargetedAdvertising"),
    "RepairImpairments": ("ServiceManagement",),
    "RequestedServiceProvision": ("ServiceProvision",),
    "ResearchAndDevelopment": (),
    "RightsFulfilment": (),
    "ScientificResearch": ("ResearchAndDevelopment",),
    "SearchFunctionalities": ("ServiceProvision",),
    "SellDataToThirdParties": ("SellProducts",),
    "SellInsightsFromData": ("SellProducts",),
    "SellProducts": ("ServiceProvision",),
    "SellProductsToDataSubject": ("SellProducts",),
    "ServiceAccessDetermination": ("ServiceManagement",),
    "ServiceManagement": (),
    "ServiceMonitoring": ("ServiceManagement",),
    "ServiceOptimisation": ("ServiceManagement",),
    "ServicePersonalisation": ("Personalisation", "ServiceManagement"),
    "ServiceProvision": ("ServiceManagement",),
    "ServiceRegistration": ("ServiceManagement",),
    "ServiceUsageAnalytics": ("ServiceMonitoring",),
    "SocialMediaMarketing": ("Marketing",),
    "TargetedAdvertising": ("PersonalisedAdvertising",),
    "TechnicalServiceProvision": ("ServiceProvision",),
    "UserInterfacePersonalisation": ("ServicePersonalisation",),
    "VendorManagement": (),
    "VendorPayment": ("VendorManagement",),
    "VendorRecordsManagement": ("VendorManagement",),
    "VendorSelectionAssessment": ("VendorManagement",),
    "Verification": ("EnforceSecurity",),
}
_LABELS: Final[dict[str, str]] = {
    "AccountManagement": "Run your account",
    "AgeVerification": "Check how old you are",
    "CustomerCare": "Help you as their customer",
    "CustomerOrderManagement": "Process your orders",
    "CustomerRelationshipManagement": "Look after their relationship with you",
    "DataAltruism": "Use your data for the common good",
    "DeliveryOfGoods": "Deliver what you ordered",
    "DirectMarketing": "Send marketing to you",
    "FraudPreventionAndDetection": "Prevent and detect fraud",
    "FulfilmentOfContractualObligation": "Do what your contract with them says",
    "IdentityVerification": "Check who you are",
    "LegalCompliance": "Do what the law demands of them",
    "Marketing": "Marketing of every kind",
    "PaymentManagement": "Handle your payments",
    "PersonalisedAdvertising": "Show you advertising that fits you",
    "PersonalisedBenefits": "Give you personal benefits",
    "ProvideProductRecommendations": "Recommend products to you",
    "RequestedServiceProvision": "Provide the service you asked for",
    "ResearchAndDevelopment": "Research and development",
    "SellDataToThirdParties": "Sell your data to others",
    "SellInsightsFromData": "Sell what they learn from your data",
    "ServiceOptimisation": "Improve their service",
    "ServicePersonalisation": "Fit their service to you",
    "ServiceUsageAnalytics": "Analyse how you use their service",
    "TargetedAdvertising": "Aim advertising at you in particular",
}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]+")


def is_known(purpose: str) -> bool:
    """Whether a text is a purpose of DPV in its one spelling, such as ``dpv:DeliveryOfGoods``."""
    return purpose.startswith(_PREFIX) and purpose.removeprefix(_PREFIX) in BROADER


def covers(broader: str, narrower: str) -> bool:
    """Whether who agrees to the one has agreed to the other: the same purpose, or one that lies above it.

    An unknown purpose covers nothing and is covered by nothing.

    Spec: specs/vocabulary.md#purposes
    """
    if not (is_known(broader) and is_known(narrower)):
        return False
    return broader.removeprefix(_PREFIX) in _at_or_above(narrower.removeprefix(_PREFIX))


@cache
def _at_or_above(name: str) -> frozenset[str]:
    return frozenset({name}).union(*map(_at_or_above, BROADER[name]))


def label(purpose: str) -> str:
    """Return what a person reads for a purpose; for the rarer ones, the words of its name.

    Raises:
        UndefinedTermError: It is not a purpose of DPV.
    """
    if not is_known(purpose):
        raise UndefinedTermError("not a purpose of DPV")
    name = purpose.removeprefix(_PREFIX)
    return _LABELS.get(name) or _in_words(name)


def _in_words(name: str) -> str:
    text = " ".join(word if word.isupper() else word.lower() for word in _WORD.findall(name))
    return text[0].upper() + text[1:]
